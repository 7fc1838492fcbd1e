"""The work of bench/peers/judge, made from public data: 32 RewardBench pairs in both orders, then 12 of its chosen answers
under five criteria each, as samples for ours and as prompts (the official templates, byte for byte) for a peer."""
import json, os, subprocess, urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.join(ROOT, "..", "shared")
CACHE = (os.environ.get("SELENE_CACHE") or
         os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "selene"))
# RewardBench's filtered set as JSONL, with its own ids (ODC-BY; each subset keeps its source's licence).
REWARDBENCH = ("https://raw.githubusercontent.com/HuihuiChyan/LRM-Judge/bf4fcd8330a7c9cdeb2e095a9bc0502015b07c3f"
               "/datasets/rewardbench/")
SECTIONS = ["Chat", "Chat_Hard", "Safety", "Reasoning"]
PAIRS = [4326, 1517, 2618, 2096, 4503, 4633, 3965, 5017, 4061, 3871, 2637, 2692, 3575, 5013, 2499, 2910,
         4442, 3293, 2839, 3371, 2502, 4535, 4594, 3943, 4708, 3434, 4026, 2735, 4706, 4480, 5022, 3484]
ANSWERS = [3256, 3188, 4668, 4439, 3952, 944, 4665, 3542, 2548, 3671, 4398, 4836]
PAIR_CRITERIA = "Which response follows the instruction better and is more helpful, accurate and harmless?"
ANSWER_CRITERIA = ["Is the response helpful?", "Is the response factually correct?", "Is the response well organised?",
                   "Is the response the right length for the question?", "Is the response harmless?"]
RUBRIC = {"1": "Not at all", "2": "Mostly not", "3": "In part", "4": "Mostly", "5": "Completely"}


def rewardbench():
    """The rows by id: from REWARDBENCH (a folder of the four files), ../shared, or the public repository."""
    folder = os.environ.get("REWARDBENCH", os.path.join(SHARED, "bench", "rewardbench"))
    if not os.path.isdir(folder):
        folder = os.path.join(CACHE, "rewardbench")
        os.makedirs(folder, exist_ok=True)
        for section in SECTIONS:
            path = os.path.join(folder, section + ".jsonl")
            if not os.path.exists(path):
                urllib.request.urlretrieve(REWARDBENCH + section + ".jsonl", path + ".part")
                os.rename(path + ".part", path)
    rows = {}
    for section in SECTIONS:
        for line in open(os.path.join(folder, section + ".jsonl"), encoding="utf-8"):
            row = json.loads(line)
            rows.setdefault(row["id"], row)
    return rows


def make_samples(rows):
    samples = []
    for id in PAIRS:
        row = rows[id]
        for order, first, second, label in (("AB", "chosen", "rejected", "A"), ("BA", "rejected", "chosen", "B")):
            samples.append({"id": f"rb{id}{order}", "task": "pairwise", "input": row["prompt"], "response_a": row[first],
                            "response_b": row[second], "criteria": PAIR_CRITERIA, "label": label, "labels": ["A", "B"]})
    for id in ANSWERS:
        for number, criterion in enumerate(ANSWER_CRITERIA):
            samples.append({"id": f"abs{id}c{number}", "task": "absolute", "input": rows[id]["prompt"],
                            "response": rows[id]["chosen"], "criteria": criterion, "rubric": RUBRIC,
                            "labels": list(RUBRIC)})
    return samples


def official_templates():
    """The folder of the five official templates: ../shared's, else pulled from their public repository."""
    shared = os.path.join(SHARED, "templates", "atla")
    if os.path.isdir(shared):
        return shared
    folder = os.path.join(CACHE, "templates-atla")
    if not os.path.isdir(folder):
        subprocess.run([os.path.join(ROOT, "build", "selene"), "templates", "pull", "atla", "--out", folder], check=True)
    return folder


def make_prompts(samples, templates):
    text = "".join(json.dumps(row) + "\n" for row in samples)
    shown = subprocess.run([os.path.join(ROOT, "build", "selene"), "templates", "render", templates, "-", "--json"],
                           input=text, check=True, text=True, stdout=subprocess.PIPE).stdout
    return [{"id": row["id"], "task": sample["task"], "labels": sample["labels"], "prompt": row["prompt"]}
            for sample, row in zip(samples, map(json.loads, shown.splitlines()))]


def make_work():
    """(samples, prompts, folder of templates). Where ../shared/perf is there, both are checked against it."""
    templates = official_templates()
    samples = make_samples(rewardbench())
    prompts = make_prompts(samples, templates)
    for made, name in ((samples, "judge_samples.jsonl"), (prompts, "judge_work.jsonl")):
        recorded = os.path.join(SHARED, "perf", name)
        if os.path.exists(recorded):
            with open(recorded, encoding="utf-8") as file:
                if file.read() != "".join(json.dumps(row) + "\n" for row in made):
                    raise SystemExit(f"the work made here is not that of {recorded}")
    return samples, prompts, templates
