"""A procedural painter of a small world, each picture with an exact description."""
