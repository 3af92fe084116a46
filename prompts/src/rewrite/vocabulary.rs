//! The words of the trade. Hyphens count as spaces: "close up" is "close-up" too.

use crate::rewrite::Part;

/// Phrases of each part, in lower case. Which part comes first does not matter: the longest phrase wins.
#[rustfmt::skip]
pub(super) const VOCABULARY: [(Part, &[&str]); 7] = [
    (Part::Shot, &[
        "close up", "closeup", "extreme close up", "extreme closeup", "medium close up", "ecu", "big close up", "choker shot",
        "wide shot", "extreme wide shot", "wide angle shot", "wide view", "wide", "ultra wide shot", "long shot",
        "extreme long shot", "full shot", "full body shot", "full body", "full length", "medium shot", "medium wide shot",
        "medium long shot", "mid shot", "cowboy shot", "american shot", "knee shot", "waist up", "bust shot", "headshot",
        "head shot", "establishing shot", "master shot", "two shot", "three shot", "group shot", "single shot", "insert shot",
        "cutaway", "detail shot", "macro shot", "reaction shot", "over the shoulder", "over the shoulder shot", "ots",
        "point of view", "pov", "first person view", "fpv", "third person view", "dutch angle", "dutch tilt", "canted angle",
        "tilted frame", "low angle", "high angle", "extreme low angle", "extreme high angle", "eye level", "ground level",
        "hip level", "knee level", "shoulder level", "worm's eye view", "worms eye view", "bird's eye view",
        "birds eye view", "top down", "top down view", "overhead", "overhead shot", "overhead view", "aerial", "aerial shot",
        "aerial view", "drone shot", "drone view", "drone footage", "helicopter shot", "satellite view", "from above",
        "from below", "from behind", "from the side", "in profile", "profile shot", "side view", "front view", "rear view",
        "back view", "three quarter view", "seen from above", "seen from below", "seen from behind", "silhouette shot",
        "portrait", "portrait shot", "environmental portrait", "half length portrait", "still life", "selfie", "panorama",
        "panoramic view", "panoramic shot", "split screen", "freeze frame", "screengrab", "film still", "movie still",
        "symmetrical composition", "centered composition", "centred composition", "rule of thirds", "negative space",
        "leading lines", "frame within a frame", "tight framing", "tight shot", "loose framing", "isometric view",
        "isometric", "cross section", "flat lay", "one shot", "oner", "reverse shot", "reverse angle", "candid shot",
    ]),
    (Part::Motion, &[
        "dolly", "dolly in", "dolly out", "dolly shot", "dolly zoom", "dollying in", "dollying out", "vertigo effect",
        "push in", "pushing in", "pushes in", "pull out", "pulls out", "pull back", "pulls back", "pulling back",
        "camera pulls back", "camera pushes in", "pan left", "pan right", "pan up", "pan down", "pan across", "pans across",
        "pans left", "pans right", "panning", "panning shot", "panning left", "panning right", "whip pan", "swish pan",
        "slow pan", "pan shot", "tilt up", "tilt down", "tilts up", "tilts down", "tilting up", "tilting down", "slow tilt",
        "crane shot", "crane up", "crane down", "craning up", "craning down", "jib shot", "boom up", "boom down", "pedestal up",
        "pedestal down", "tracking", "tracking shot", "truck left", "truck right", "trucking shot", "travelling shot",
        "traveling shot", "follow shot", "following shot", "camera follows", "leading shot", "lateral tracking shot",
        "side tracking shot", "handheld", "hand held", "handheld camera", "shaky cam", "shaky camera", "steadicam",
        "steadicam shot", "gimbal shot", "stabilized shot", "locked off", "locked off shot", "static shot", "static camera", "static",
        "fixed camera", "tripod shot", "zoom in", "zoom out", "zooms in", "zooms out", "zooming in", "zooming out",
        "crash zoom", "snap zoom", "punch in", "slow zoom", "orbit shot", "orbit", "orbit around", "orbits around", "orbiting", "orbiting shot",
        "camera orbits", "arc shot", "arcing shot", "360 degree shot", "360 orbit", "bullet time", "fly through",
        "flythrough", "flyover", "drone flyover", "rack focus", "focus pull", "pull focus",
        "slow motion", "slow mo", "fast motion", "time lapse", "timelapse", "hyperlapse", "stop motion", "speed ramp",
        "long take", "motion blur", "camera roll", "barrel roll", "reveal shot", "parallax", "push through", "glidecam",
        "snorricam", "body cam",
    ]),
    (Part::Lens, &[
        "anamorphic", "anamorphic lens", "anamorphic flare", "lens flare", "lens flares", "macro", "macro lens", "fisheye",
        "fish eye", "fisheye lens", "fish eye lens", "wide angle", "wide angle lens", "ultra wide angle",
        "ultra wide angle lens", "telephoto", "telephoto lens", "long lens", "short lens", "prime lens", "zoom lens",
        "tilt shift", "tilt shift lens", "pinhole", "pinhole camera", "probe lens", "split diopter", "vintage lens",
        "petzval lens", "helios lens", "cooke lens", "spherical lens", "soft focus", "sharp focus", "deep focus",
        "selective focus", "shallow focus", "out of focus background", "blurred background", "blurry background",
        "shallow depth of field", "deep depth of field", "narrow depth of field", "depth of field", "bokeh", "creamy bokeh",
        "swirly bokeh", "lens compression", "compression", "barrel distortion", "chromatic aberration", "vignette",
        "vignetting", "imax", "65mm film", "70mm film", "arri alexa", "red camera", "large format", "medium format camera",
        "pro mist filter", "black pro mist", "diffusion filter", "polarizing filter", "starburst filter",
    ]),
    (Part::Light, &[
        "golden hour", "golden hour light", "magic hour", "blue hour", "sunrise", "sunset", "dawn", "dusk", "twilight",
        "daybreak", "nightfall", "midday", "noon", "midday sun", "midnight", "at night", "night", "day", "lightning", "night time", "nighttime", "late afternoon",
        "early morning", "daylight", "sunlight", "dappled sunlight", "direct sunlight", "sunbeams", "sun rays", "moonlight",
        "moonlit", "starlight", "candlelight", "candle light", "firelight", "fire light", "lamplight", "lantern light",
        "torchlight", "streetlight", "streetlights", "street lights", "neon", "neon light", "neon lights", "neon lighting",
        "neon glow", "fluorescent", "fluorescent light", "fluorescent lights", "tungsten", "tungsten light", "window light",
        "northern light", "skylight", "spotlight", "stage light", "stage lights", "strobe", "strobe light", "camera flash", "flash",
        "direct flash", "ring light", "rim light", "rim lighting", "rim lit", "edge light", "hair light", "kicker light",
        "key light", "fill light", "back light", "backlight", "backlit", "back lit", "backlighting", "side light", "sidelit",
        "side lit", "side lighting", "top light", "top lighting", "under lighting", "underlighting", "uplighting",
        "front light", "practical light", "practical lights", "practicals", "motivated light", "motivated lighting",
        "three point lighting", "rembrandt lighting", "butterfly lighting", "split lighting", "loop lighting",
        "broad lighting", "studio lighting", "softbox", "chiaroscuro", "chiaroscuro lighting", "low key", "low key lighting",
        "high key", "high key lighting", "volumetric light", "volumetric lighting", "volumetric", "volumetric fog",
        "god rays", "light rays", "light shafts", "shafts of light", "crepuscular rays", "caustics", "overcast",
        "overcast light", "overcast sky", "diffused light", "diffuse light", "soft light", "soft lighting", "hard light",
        "hard shadows", "harsh light", "long shadows", "deep shadows", "silhouette", "silhouetted", "in silhouette",
        "bioluminescence", "bioluminescent glow", "ambient light", "natural light", "artificial light", "mixed lighting",
        "dramatic lighting", "moody lighting", "cinematic lighting", "high contrast lighting", "gobo shadows", "blacklight",
        "laser light", "northern lights", "light", "lighting", "glow", "shadows",
    ]),
    (Part::Grade, &[
        "teal and orange", "orange and teal", "desaturated", "muted", "muted colors", "muted colours", "muted palette",
        "pastel", "pastel colors", "pastel colours", "pastel palette", "black and white", "black & white", "b&w", "bw",
        "monochrome", "monochromatic", "sepia", "sepia tone", "duotone", "kodachrome", "kodak portra", "kodak portra 400",
        "portra 400", "portra 800", "kodak gold", "kodak ektachrome", "ektachrome", "kodak vision3", "kodak vision3 500t",
        "vision3 500t", "kodak tri x", "tri x", "cinestill", "cinestill 800t", "fuji velvia", "fujifilm velvia", "velvia",
        "fuji provia", "fujifilm", "ilford hp5", "ilford", "polaroid", "technicolor", "autochrome", "cyanotype", "daguerreotype",
        "lomography", "bleach bypass", "cross processed", "cross processing", "day for night", "film grain", "grain", "grainy",
        "heavy grain", "fine grain", "16mm film", "16mm", "8mm", "8mm film", "super 8", "super 16", "35mm film", "vhs",
        "vhs look", "camcorder footage", "halation", "light leaks", "faded", "faded colors", "faded colours", "washed out",
        "high contrast", "low contrast", "crushed blacks", "lifted blacks", "vibrant", "vibrant colors", "vibrant colours",
        "saturated", "saturated colors", "saturated colours", "oversaturated", "vivid", "vivid colors", "vivid colours",
        "warm tones", "cool tones", "cold tones", "earth tones", "earthy tones", "warm palette", "cool palette",
        "warm colors", "cool colors", "jewel tones", "neon palette", "neon colors", "infrared", "hdr", "cinematic",
        "cinematic color grade", "cinematic colour grade", "cinematic look", "filmic", "film look", "color graded",
        "colour graded", "color grading", "colour grading", "lut", "log footage", "technicolour", "golden tones",
        "amber tones", "green tint", "blue tint", "sodium vapor", "sodium vapour", "rec 709", "tones", "colors", "colours", "palette",
    ]),
    (Part::Mood, &[
        "moody", "melancholic", "melancholy", "nostalgic", "nostalgia", "wistful", "serene", "tranquil", "peaceful", "calm",
        "quiet", "dreamy", "dreamlike", "ethereal", "surreal", "mysterious", "mystical", "magical", "whimsical", "playful",
        "joyful", "hopeful", "uplifting", "romantic", "intimate", "tender", "cozy", "cosy", "warm and cozy", "lonely",
        "loneliness", "solitude", "solitary", "isolated", "tense", "tension", "suspenseful", "suspense", "ominous", "eerie",
        "creepy", "horror", "haunting", "foreboding", "menacing", "sinister", "gloomy", "bleak", "somber", "sombre", "brooding", "dark",
        "gritty", "raw", "chaotic", "frantic", "energetic", "dynamic", "epic", "majestic", "grand", "heroic", "triumphant",
        "dramatic", "noir", "film noir", "neo noir", "gothic", "dystopian", "utopian", "post apocalyptic", "apocalyptic",
        "otherworldly", "hypnotic", "psychedelic", "minimalist", "contemplative", "reflective", "meditative", "awe",
        "sense of wonder", "sense of awe", "sense of dread", "bittersweet", "poignant", "claustrophobic", "oppressive",
        "unsettling", "uneasy", "desolate", "sublime", "timeless", "festive", "sensual", "elegant", "luxurious",
    ]),
    (Part::Setting, &[
        "interior", "exterior", "indoors", "outdoors", "underwater", "rain", "heavy rain", "pouring rain", "light rain",
        "drizzle", "fog", "thick fog", "dense fog", "light fog", "mist", "morning mist", "haze", "snow", "falling snow",
        "heavy snow", "light snow", "snowfall", "blizzard", "snowstorm", "thunderstorm", "storm", "sandstorm", "dust storm",
        "strong wind", "windy", "rainy", "foggy", "misty", "snowy", "stormy", "winter", "summer", "autumn", "spring",
    ]),
];

/// What a person does with "at", "in" or "on" behind: that is not where they are.
#[rustfmt::skip]
pub(super) const DOINGS: [&str; 34] = [
    "looking", "looks", "staring", "stares", "gazing", "gazes", "peering", "glancing", "smiling", "smiles", "waving",
    "pointing", "shouting", "covered", "dressed", "clad", "wrapped", "soaked", "drenched", "bathed", "putting", "trying",
    "holding", "leaning", "laughing", "made", "lost", "based", "carved", "dipped", "blowing", "working", "biting", "engulfed",
];

/// Words in front of a phrase that say how.
pub(super) fn qualifiers(part: Part) -> &'static [&'static str] {
    match part {
        Part::Motion => &[
            "slow",
            "slowly",
            "gentle",
            "gently",
            "smooth",
            "smoothly",
            "fast",
            "quick",
            "rapid",
            "subtle",
            "steady",
            "creeping",
            "continuous",
            "camera",
            "long",
            "sweeping",
            "slight",
            "very",
            "extremely",
            "super",
            "low",
            "aerial",
            "drone",
        ],
        Part::Light => &[
            "soft",
            "warm",
            "cool",
            "cold",
            "hard",
            "harsh",
            "dim",
            "bright",
            "low",
            "natural",
            "strong",
            "gentle",
            "pale",
            "golden",
            "flickering",
            "dramatic",
            "late",
            "early",
            "very",
            "blue",
            "red",
            "green",
            "pink",
            "purple",
            "orange",
            "single",
            "diffused",
            "hazy",
            "winter",
            "summer",
            "autumn",
            "morning",
            "evening",
            "afternoon",
        ],
        Part::Grade => &[
            "slightly", "heavily", "subtle", "rich", "deep", "very", "gritty", "warm", "cool", "soft", "heavy",
            "vintage",
        ],
        Part::Mood => &["very", "deeply", "slightly", "quietly", "almost", "eerily"],
        Part::Lens => &["very", "extremely", "subtle", "soft", "vintage", "creamy", "beautiful"],
        Part::Shot => &["extreme", "very", "tight", "intimate", "slow", "sweeping", "symmetrical", "low", "high"],
        _ => &[],
    }
}

/// Nouns behind a phrase that say only what kind of thing it is.
pub(super) fn nouns(part: Part) -> &'static [&'static str] {
    match part {
        Part::Motion => &["shot", "move", "movement", "camera", "footage", "effect"],
        Part::Light => &["light", "lighting", "glow", "lights", "illumination", "sun", "sky"],
        Part::Grade => &[
            "blue",
            "green",
            "red",
            "brown",
            "golden",
            "grey",
            "gray",
            "purple",
            "pink",
            "yellow",
            "orange",
            "teal",
            "amber",
            "grade",
            "grading",
            "palette",
            "look",
            "film",
            "tones",
            "colors",
            "colours",
            "style",
            "footage",
            "photography",
        ],
        Part::Mood => &["mood", "atmosphere", "vibe", "vibes", "feel", "feeling", "tone", "energy"],
        Part::Lens => &["lens", "look", "photo", "photograph", "photography", "shot"],
        Part::Shot => &["shot", "view", "angle", "framing", "composition"],
        _ => &[],
    }
}

/// "35mm", "f/1.8", "f2": how long a lens is, or how wide it is open.
pub(super) fn is_focal_length(word: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let aperture = word.strip_prefix("f/").or_else(|| word.strip_prefix('f'));
    word.strip_suffix("mm").is_some_and(is_number) || aperture.is_some_and(is_number)
}

/// What is of the trade only where it stands alone between commas: there are fields of grain, and flashes of lightning.
pub(super) fn is_only_alone(word: &str) -> bool {
    matches!(word, "night" | "day" | "lightning" | "grain" | "raw" | "static" | "orbit" | "flash" | "compression")
}

/// What says something only with a word in front that says how.
pub(super) fn is_too_general(word: &str) -> bool {
    matches!(word, "light" | "lighting" | "glow" | "shadows" | "tones" | "colors" | "colours" | "palette")
}

/// Words that join others and show nothing.
pub(super) fn is_function_word(word: &str) -> bool {
    matches!(
        word,
        "a" | "an"
            | "the"
            | "of"
            | "on"
            | "onto"
            | "in"
            | "into"
            | "at"
            | "with"
            | "and"
            | "&"
            | "+"
            | "by"
            | "under"
            | "during"
            | "to"
            | "toward"
            | "towards"
            | "from"
            | "as"
            | "for"
            | "its"
            | "is"
            | "are"
            | "through"
            | "over"
            | "across"
            | "around"
            | "along"
            | "past"
            | "behind"
            | "near"
            | "inside"
            | "outside"
            | "beside"
            | "above"
            | "below"
            | "beneath"
            | "between"
            | "against"
            | "while"
            | "that"
            | "then"
            | "but"
            | "or"
            | "/"
            | "some"
    )
}
