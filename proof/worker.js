// Answers one challenge beside the page, so that the page stays usable.
//
// The page posts a challenge as ALTCHA version 2 writes it. This answers { tried } now and then while it searches,
// at the end { answer }, which goes into the header X-Mindseye-Proof, or { failed }.
import init, { Search } from './proof.js';

addEventListener('message', async ({ data: challenge }) => {
  try {
    const { nonce, salt, keyPrefix, memoryCost, cost, parallelism = 1, keyLength } = challenge.parameters;
    await init();
    const search = new Search(nonce, salt, keyPrefix, memoryCost, cost, parallelism, keyLength);
    let told = performance.now();
    while (!search.step()) {
      if (performance.now() - told > 200) {
        told = performance.now();
        postMessage({ tried: search.tried() });
      }
    }
    const solution = { counter: search.tried() - 1, derivedKey: search.key() };
    postMessage({ answer: btoa(JSON.stringify({ challenge, solution })) });
  } catch (error) {
    postMessage({ failed: String(error) });
  }
});
