"""The words and facts that the tiny base's questions are made of. Each word occurs in many questions."""

CATEGORIES: dict[str, tuple[str, ...]] = {
    "animal": ("cat", "dog", "fox", "hen", "cow", "owl", "bee", "wolf", "bear", "duck"),
    "fruit": ("plum", "pear", "fig", "lime", "apple", "grape", "peach", "melon", "mango", "lemon"),
    "tool": ("saw", "axe", "drill", "rake", "file", "spade", "brush", "knife", "clamp", "broom"),
    "drink": ("tea", "milk", "juice", "water", "cocoa", "cider", "coffee", "soda", "wine", "punch"),
    "garment": ("hat", "sock", "coat", "belt", "scarf", "shirt", "glove", "boot", "vest", "robe"),
    "colour": ("red", "blue", "green", "pink", "gold", "grey", "white", "black", "brown", "violet"),
}
"""Six kinds of things, ten of each; also the words that are sorted and reversed."""

THINGS: tuple[str, ...] = tuple(sorted(word for words in CATEGORIES.values() for word in words))

NAMES: tuple[str, ...] = ("Ada", "Tom", "Mia", "Leo", "Eva", "Max", "Ida", "Sam", "Zoe", "Ben", "Amy", "Kai")

JOBS: tuple[str, ...] = (
    "baker",
    "cook",
    "nurse",
    "pilot",
    "judge",
    "clerk",
    "miner",
    "tailor",
    "farmer",
    "singer",
)

CAPITALS: dict[str, str] = {
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Norway": "Oslo", "Peru": "Lima", "Egypt": "Cairo",
    "Japan": "Tokyo", "China": "Beijing", "Cuba": "Havana", "Greece": "Athens", "Austria": "Vienna",
    "Poland": "Warsaw", "Kenya": "Nairobi", "Chile": "Santiago", "Iran": "Tehran", "Iraq": "Baghdad",
    "Ireland": "Dublin", "Latvia": "Riga", "Ghana": "Accra", "Qatar": "Doha", "Nepal": "Kathmandu",
    "Russia": "Moscow", "Sweden": "Stockholm", "Portugal": "Lisbon",
}  # fmt: skip

OPPOSITES: tuple[tuple[str, str], ...] = (
    ("hot", "cold"), ("big", "small"), ("fast", "slow"), ("up", "down"), ("wet", "dry"), ("old", "new"),
    ("light", "dark"), ("loud", "quiet"), ("full", "empty"), ("open", "shut"), ("rich", "poor"),
    ("hard", "soft"), ("high", "low"), ("near", "far"), ("early", "late"), ("happy", "sad"),
)  # fmt: skip

OPPOSITE: dict[str, str] = {
    **dict(OPPOSITES),
    **{right: left for left, right in OPPOSITES},
}
