"""Texts for the peers of text search, made of public data: short ones by recombination, with planted near duplicates."""
import gzip, json, os, random, re, sys, unicodedata

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get("SELENE_SHARED", os.path.join(ROOT, os.pardir, "shared"))
SEARCH = os.path.join(ROOT, "build", "bench", "text_search")
ALONE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff" \
        "\uff66-\uff9d\U00020000-\U0003ffff"
MARKS = "".join(chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in ("Mn", "Mc"))
LETTERS = f"[^\\W_{ALONE}]+"  # And digits.
WORD = re.compile(f"(?=[^\\W_])[{ALONE}][{MARKS}]*|{LETTERS}(?:[{MARKS}]+(?:{LETTERS})?)*")
ASCII_WORD = re.compile("[a-z0-9]+")


def words(text):
    """As text::Words."""
    if text.isascii():
        return ASCII_WORD.findall(text.lower())
    # Python has a mark on the small dotted I, and another small sigma at the end of a word.
    return WORD.findall(text.replace("\u0130", "i").lower().replace("\u03c2", "\u03c3"))


def shingles(text, size):
    found = words(text)
    if len(found) < size:
        return {" ".join(found)} if found else set()
    return {" ".join(found[i:i + size]) for i in range(len(found) - size + 1)}


def jaccard(a, b):
    return len(a & b) / len(a | b) if a or b else 1.0


def training_texts():
    path = os.path.join(SHARED, "train", "mix_v0", "mix_v0.jsonl.gz")
    texts = []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            texts += [row[name] for name in ("input", "response", "response_a", "response_b") if row.get(name)]
    return texts


def short_texts(count, seed=0, planted_share=0.05):
    """`count` texts of 8 to 60 words, each two spans of training texts; the planted ones are copies of an earlier text
    with a few words changed. Gives the texts and the planted (copy, original)."""
    draw = random.Random(seed)
    sources = [text.split() for text in training_texts()]
    sources = [text for text in sources if len(text) >= 4]
    vocabulary = sorted({word for text in sources[:5000] for word in text})
    texts, planted = [], []

    def span():
        text = draw.choice(sources)
        length = min(len(text), draw.randint(4, 30))
        start = draw.randint(0, len(text) - length)
        return text[start:start + length]

    for number in range(count):
        if number > 100 and draw.random() < planted_share:
            original = draw.randrange(number)
            copy = texts[original].split()
            for _ in range(draw.choice((0, 1, 1, 2))):
                copy[draw.choice((0, len(copy) - 1, draw.randrange(len(copy))))] = draw.choice(vocabulary)
            texts.append(" ".join(copy))
            planted.append((number, original))
        else:
            texts.append(" ".join(span() + span()))
    return texts, planted


def benchmark_texts():
    """Every text of 13 words or more in the benchmarks' files."""
    found = []

    def walk(value):
        if isinstance(value, str):
            if value.count(" ") >= 12:
                found.append(value)
        elif isinstance(value, dict):
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    for folder, folders, files in os.walk(os.path.join(SHARED, "bench")):
        folders.sort()
        if os.path.basename(folder) == "golden":
            continue
        for name in sorted(files):
            path = os.path.join(folder, name)
            open_file = gzip.open if name.endswith(".gz") else open
            if not name.endswith((".jsonl", ".jsonl.gz", ".json", ".json.gz")):
                continue
            with open_file(path, "rt", encoding="utf-8") as file:
                whole = file.read()
            try:
                walk(json.loads(whole))
            except json.JSONDecodeError:  # Rows.
                for line in whole.splitlines():
                    if line.strip():
                        walk(json.loads(line))
    return found


def write_texts(path, texts):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(text, ensure_ascii=False) + "\n" for text in texts)


def verdict(ratio, target):
    return "met" if ratio >= target else "missed"
