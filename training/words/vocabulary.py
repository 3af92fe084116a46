"""The words for every attribute. What stands more than once in a list is said more often."""

from __future__ import annotations

COLOR = {
    "red": ("red",) * 10 + ("crimson", "scarlet", "bright red"),
    "orange": ("orange",) * 12 + ("bright orange",),
    "yellow": ("yellow",) * 9 + ("golden", "golden", "bright yellow"),
    "green": ("green",) * 10 + ("emerald", "emerald green", "bright green"),
    "blue": ("blue",) * 11 + ("bright blue", "deep blue"),
    "purple": ("purple",) * 8 + ("violet",) * 4,
    "pink": ("pink",) * 11 + ("rose", "bright pink"),
    "white": ("white",) * 12 + ("pure white",),
    "black": ("black",) * 12 + ("jet black",),
}

# One of them and several of them.
THING = {
    "boat": (("boat", "boats"),) * 6
    + (("sailboat", "sailboats"), ("sailboat", "sailboats"), ("sailing boat", "sailing boats"))
    + (("ship", "ships"), ("yacht", "yachts")),
    "lighthouse": (("lighthouse", "lighthouses"),),
    "balloon": (("balloon", "balloons"), ("balloon", "balloons"), ("hot air balloon", "hot air balloons")),
    "bird": (("bird", "birds"),),
    "house": (("house", "houses"),) * 5 + (("cottage", "cottages"), ("cabin", "cabins"), ("hut", "huts")),
    "tree": (("tree", "trees"),),
    "cactus": (("cactus", "cacti"),),
    "windmill": (("windmill", "windmills"),) * 6 + (("mill", "mills"),),
    "flower": (("flower", "flowers"),) * 6 + (("blossom", "blossoms"),),
    "apple": (("apple", "apples"),),
    "vase": (("vase", "vases"),),
    "cup": (("cup", "cups"),) * 4
    + (("mug", "mugs"), ("coffee cup", "coffee cups"), ("cup of coffee", "cups of coffee")),
    "bottle": (("bottle", "bottles"),),
    "candle": (("candle", "candles"),) * 5 + (("burning candle", "burning candles"),),
    "planet": (("planet", "planets"),),
    "rocket": (("rocket", "rockets"),) * 4 + (("spaceship", "spaceships"), ("rocket ship", "rocket ships")),
}
GULL = ("seagull", "seagulls")
# How they stand to what is below them; each ground may have its own words.
LINK: dict[str | tuple[str, str], tuple[str, ...]] = {
    "boat": ("on", "on", "on", "on", "in", "sailing on", "floating on", "drifting on", "sailing across"),
    "lighthouse": ("by", "by", "by", "at", "near", "in", "on", "overlooking", "next to"),
    "balloon": ("over", "over", "over", "above", "above", "flying over", "floating over", "drifting over"),
    "bird": ("over", "over", "above", "flying over", "flying over", "flying above", "soaring over"),
    "house": ("in", "in", "in", "on", "standing in"),
    ("house", "lake"): ("by", "by", "by", "at", "near", "on", "next to", "beside"),
    ("house", "forest"): ("in", "in", "at the edge of", "by", "in front of", "near", "next to"),
    "tree": ("in", "in", "in", "on", "standing in", "growing in"),
    "cactus": ("in", "in", "in", "growing in", "standing in"),
    "windmill": ("in", "in", "on", "by", "near", "standing in"),
    "flower": ("in", "in", "in", "growing in", "blooming in"),
    "planet": ("in", "in", "in", "floating in"),
    "rocket": ("in", "in", "flying through", "flying through", "flying in"),
}
ON_TABLE = ("on", "on", "on", "on", "standing on")
FLYING = ("balloon", "bird")
ALOFT = {"balloon": ("in the sky", "in the air", "floating in the sky"), "bird": ("in the sky", "flying", "in flight")}

TIME = {
    "dawn": ("at dawn", "at dawn", "at sunrise", "at sunrise", "in the morning", "in the early morning"),
    "day": ("at noon", "at noon", "by day", "in daylight", "at midday", "during the day", "in the daytime"),
    "sunset": ("at sunset",) * 5 + ("at dusk", "at dusk", "in the evening", "in the evening", "at twilight"),
    "night": ("at night",) * 5 + ("by night", "at midnight", "in the night"),
}
TIME_ALONE = {
    "dawn": ("dawn", "dawn", "sunrise", "sunrise", "morning", "early morning"),
    "day": ("noon", "day", "midday", "daylight", "daytime"),
    "sunset": ("sunset", "sunset", "sunset", "dusk", "evening", "twilight"),
    "night": ("night", "night", "night", "midnight", "nighttime"),
}
# As in "a sunrise over the sea".
TIME_OVER = {
    "dawn": ("sunrise", "a sunrise", "dawn", "the sunrise"),
    "sunset": ("sunset", "a sunset", "a sunset", "the sunset"),
    "night": ("night", "the night sky", "a night sky"),
}
TIME_NOUN = {"dawn": ("morning", "dawn"), "day": ("day",), "sunset": ("evening",), "night": ("night",)}
SUNSET_HOUR = "golden hour"

WEATHER = {
    "clear": ("clear sky", "a clear sky", "a clear sky", "no clouds", "cloudless sky", "clear weather"),
    "fair": ("a few clouds", "scattered clouds", "some clouds", "clouds", "partly cloudy", "clouds in the sky"),
    "cloudy": ("cloudy", "overcast", "a cloudy sky", "an overcast sky", "heavy clouds", "thick clouds"),
    "fog": ("fog", "fog", "foggy", "mist", "misty", "in the mist", "in the fog", "in thick fog", "foggy weather"),
    "rain": ("rain", "rain", "rainy", "in the rain", "in the rain", "rainy weather", "raining", "it is raining"),
    "snowfall": ("snowfall", "falling snow", "snowing", "it is snowing", "snowflakes", "snow is falling"),
    "storm": ("storm", "a storm", "stormy", "in a storm", "thunderstorm", "lightning", "a stormy sky"),
}
# As in "on a misty morning" and "a misty forest".
WEATHER_BEFORE = {
    "cloudy": ("cloudy",),
    "fog": ("foggy", "misty"),
    "rain": ("rainy",),
    "storm": ("stormy",),
}
WEATHER_BEFORE_GROUND = ("fog", "rain", "storm")

GROUND = {
    "sea": ("sea", "sea", "sea", "sea", "ocean", "ocean"),
    "lake": ("lake",),
    "desert": ("desert",) * 5 + ("sandy desert", "dunes", "sand dunes"),
    "meadow": ("meadow",) * 5 + ("grassland", "grassy field", "grassy meadow", "grass"),
    "wheat": ("wheat field",) * 4 + ("field of wheat", "field of wheat", "wheat"),
    "snow": ("snow", "snow", "snow", "snow field", "snowy field", "field of snow", "snowy plain", "snowy landscape"),
    "forest": ("forest",) * 5 + ("pine forest", "woods", "woods", "woods", "fir forest"),
    "city": ("city",) * 6 + ("town", "skyline", "city skyline", "skyscrapers"),
    "table": ("table",) * 6 + ("wooden table",),
    "space": ("space", "space", "space", "outer space", "deep space", "universe"),
}
# These need nothing beside them.
VIEW = {
    "sea": ("seascape",),
    "desert": ("desert landscape",),
    "snow": ("winter landscape", "snowy landscape"),
    "city": ("cityscape", "city skyline"),
    "forest": ("forest landscape",),
}
NO_ARTICLE = frozenset(
    {"dunes", "sand dunes", "grass", "wheat", "snow", "woods", "grassland", "skyscrapers"}
    | {"space", "outer space", "deep space"}
)
# Only where daylight shows the colours that one expects.
GROUND_BY_DAYLIGHT = {"meadow": ("green meadow", "green field"), "wheat": ("golden wheat field", "yellow wheat field")}
SKY_BY_DAYLIGHT = ("blue sky", "a blue sky", "a bright blue sky")

WATER = {
    "calm": ("calm", "calm", "calm", "quiet", "still", "smooth"),
    "rough": ("rough", "rough", "rough", "wild", "choppy"),
}
WAVES = ("with high waves", "with waves", "with wild waves")
WATER_COLOR = {
    "dark": ("dark", "dark", "dark", "black"),
    "turquoise": ("turquoise", "turquoise", "turquoise", "teal"),
    "green": ("green", "green", "green", "emerald"),
}
WATER_BY_DAYLIGHT = ("blue", "blue", "deep blue")

MOUNTAINS = {
    "bare": ("mountains", "mountains", "mountains", "rocky mountains", "a mountain range", "bare mountains"),
    "snowy": ("snowy mountains", "snowy mountains", "snow-capped mountains", "snowy peaks", "snow-covered mountains"),
}
BEHIND = ("behind", "in the background", "in the distance", "on the horizon", "at the back")
SKY = {
    "stars": ("stars", "a starry sky", "many stars", "a sky full of stars", "starry sky"),
    "aurora": ("northern lights", "the northern lights", "an aurora", "aurora", "aurora borealis"),
    "rainbow": ("a rainbow", "a rainbow", "rainbow", "a rainbow in the sky"),
}
UNDER_SKY = {
    "stars": ("under the stars", "under a starry sky", "under a sky full of stars", "beneath the stars"),
    "aurora": ("under the northern lights", "under an aurora", "beneath the northern lights"),
    "rainbow": ("under a rainbow", "with a rainbow", "beneath a rainbow"),
}
FLOCK = (
    "a flock of birds", "a flock of birds", "flock of birds", "distant birds", "birds far away",
    "birds in the distance", "a flock of birds in the sky",
)  # fmt: skip
FLOWERS_IN = ("with", "with", "full of", "covered in", "dotted with")

SMALL = ("small", "small", "little", "tiny")
BIG = ("big", "big", "large", "huge", "giant")
FAR = ("in the distance", "far away", "in the far distance")
CLOSE = ("close-up of", "a close-up of", "close up of")
SIDE = {
    "left": ("on the left", "on the left", "on the left side", "to the left", "at the left"),
    "center": ("in the middle", "in the middle", "in the center", "at the center"),
    "right": ("on the right", "on the right", "on the right side", "to the right", "at the right"),
}
COUNT = {2: ("two",) * 5 + ("2", "2"), 3: ("three",) * 5 + ("3", "3"), 4: ("four",) * 5 + ("4", "4")}
PAIR = ("a pair of", "a pair of", "a couple of")
SOME = ("several", "some", "a few", "a group of")

WALL = ("wall", "wall", "background", "background")
BEFORE_WALL = ("in front of", "in front of", "against")
NEBULA = ("nebula", "nebula", "haze", "glow")

# What is before "of", or stands alone as a heading.
STYLE_HEAD = {
    "oil": ("oil painting",) * 4 + ("painting", "painting", "oil on canvas painting"),
    "watercolor": ("watercolor",) * 3 + ("watercolor painting", "watercolor painting", "watercolour", "aquarelle"),
    "ink": ("ink drawing",) * 4 + ("drawing", "ink sketch", "sketch", "pen drawing", "pen and ink drawing"),
    "pixel": ("pixel art", "pixel art picture", "pixel art image", "8-bit picture"),
    "papercut": ("papercut", "papercut", "paper cut", "paper collage", "paper cutout"),
    "neon": ("neon picture", "neon image", "neon artwork"),
    "woodcut": ("woodcut",) * 4 + ("woodblock print", "woodcut print", "linocut"),
    "photo": ("photo",) * 5 + ("photograph", "photograph", "realistic photo"),
}
STYLE_TAG = {
    "oil": ("oil painting", "oil painting", "painting", "oil on canvas", "in oil", "oil painting style"),
    "watercolor": ("watercolor",) * 3 + ("in watercolor", "watercolor painting", "watercolor style", "watercolour"),
    "ink": ("ink drawing", "ink drawing", "in ink", "ink", "pen and ink", "ink sketch", "drawing", "sketch"),
    "pixel": ("pixel art", "pixel art", "pixel art", "as pixel art", "8-bit", "pixel art style", "pixelated"),
    "papercut": ("papercut", "papercut", "paper cut", "paper art", "made of paper", "cut paper", "papercut style"),
    "neon": ("neon", "neon", "neon lights", "neon glow", "neon style", "synthwave", "in neon lights"),
    "woodcut": ("woodcut", "woodcut", "woodblock print", "linocut", "as a woodcut", "woodcut style"),
    "photo": ("photo", "photo", "photograph", "photography", "photorealistic", "realistic", "realistic photo"),
}
# As in "a neon city".
STYLE_BEFORE = {"neon": ("neon",), "pixel": ("pixel art",), "watercolor": ("watercolor",)}

MOOD = {
    "dramatic": ("dramatic",) * 4 + ("cinematic", "cinematic", "epic"),
    "dreamy": ("dreamy",) * 4 + ("ethereal",),
    "pastel": ("pastel",) * 4 + ("soft pastel",),
    "moody": ("moody",) * 4 + ("gloomy", "gloomy"),
    "vivid": ("vivid",) * 3 + ("vibrant", "vibrant", "colorful", "colorful"),
    "vintage": ("vintage",) * 4 + ("retro", "retro", "nostalgic"),
}
MOOD_TAG = {
    "dramatic": ("dramatic light", "dramatic lighting", "cinematic lighting", "dramatic mood"),
    "dreamy": ("dreamy mood", "dreamy atmosphere", "dreamy light", "like a dream"),
    "pastel": ("pastel colors", "pastel colors", "in pastel colors", "pastel tones"),
    "moody": ("moody atmosphere", "moody light", "gloomy mood", "gloomy atmosphere"),
    "vivid": ("vivid colors", "vibrant colors", "in vivid colors", "bright colors"),
    "vintage": ("vintage look", "retro style", "vintage colors", "vintage style"),
}

# What does not follow "a picture of".
NO_NOUN = (
    "at ", "in ", "on ", "by ", "during ", "under ", "among ", "to the ", "there ", "i see ", "this is ", "it is "
)  # fmt: skip

# Words that people type though they say nothing about the picture.
PICTURE = ("picture", "picture", "image", "scene", "artwork")
PRAISE = (
    "beautiful", "beautiful", "lovely", "nice", "pretty", "wonderful", "amazing", "stunning", "gorgeous",
    "high quality", "detailed",
)  # fmt: skip
PRAISE_TAG = (
    "beautiful", "high quality", "best quality", "masterpiece", "detailed", "highly detailed", "4k", "8k", "hd",
    "stunning", "wallpaper", "very beautiful", "award winning", "please", "artwork",
)  # fmt: skip
WIDE = ("wide landscape", "landscape", "a wide view", "scenery")
PLAIN_TAG = ("illustration", "digital art", "art")
REQUEST = (
    "please draw", "draw", "draw me", "show me", "i want", "make", "create", "generate", "please make", "imagine",
    "i want to see",
)  # fmt: skip
