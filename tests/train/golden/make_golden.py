#!/usr/bin/env python3
"""Makes what tests/train compares with, using Hugging Face's `transformers` and TRL and no line of ours.

  pip install torch==2.15.0 transformers==5.24.0 trl==1.16.0 gguf==0.19.0 datasets==5.2.0 sentencepiece==0.2.3
  tests/train/golden/make_golden.py tiny
  tests/train/golden/make_golden.py default MODEL.gguf

MODEL.gguf is the default model as `selene models pull default` makes it (Q8_0), dequantised to fp32. Written beside this
script:
  default_logits.json  logits of the default model after 8 prompts
  tiny/                a random model of the Llama 3.1 kind: scaled RoPE, grouped-query attention, an output of its own
  tiny_logits.json     its logits after 4 prompts
  tiny_loss.json       4 pairs with TRL's reference log-probabilities and losses (DPO + NLL, one pair a batch)
  tiny_gradient.safetensors  the gradient of the sum of these losses, of every weight

A file of logits has for each prompt its tokens and, for each of its last positions, pairs of a token and its logit: the
20 largest, and the 40 of a random choice that is the same for all.
"""
import json
import os
import pathlib
import random
import sys
import tempfile

import torch

HERE = pathlib.Path(__file__).parent
LARGEST, CHOSEN = 20, 40

# Our own texts, of the kinds a judge reads.
PROMPTS = [
    "Which of the two answers is better? Answer with A or B.",
    "You are a helpful assistant in evaluating the quality of responses.\n\nInstruction: Name three primes.\n\n"
    "Response A: 2, 3 and 5.\nResponse B: 1, 4 and 9.\n\nYour answer:",
    "**Reasoning:** Response A names the capital and says why; Response B is about another country.\n\n**Result:**",
    "Score the response from 1 to 5.\n\nInput:\n```\nAdd 12 and 30.\n```\n\nResponse:\n```\n42\n```\n\nScale:\n1: wrong\n"
    "5: right\n",
    "def squares(n):\n    \"\"\"The first n squares.\"\"\"\n    return [i * i for i in range(n)]\n\nprint(squares(10))",
    "In 1969 they flew 384400 km to the Moon and back; the computer on board had 4 kB of memory, and it was enough.",
    "Zażółć gęślą jaźń. Ποια απάντηση είναι καλύτερη; 请比较这两个回答，哪一个更好？ 👍",
    "Once upon a time there was a judge who read every answer twice, once for what it said and once for what it left out, "
    "and who wrote down a reason before a verdict, so that anyone could see how the one had followed from the other, and "
    "could say where it had not",
]


def write(name, value):
    """One item of the outermost list a line."""
    rows = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in value)
    (HERE / name).write_text(f"[\n{rows}\n]\n", "utf-8")
    print(f"{HERE / name}: {(HERE / name).stat().st_size} bytes")


def logits_of(model, prompts, positions):
    chosen = sorted(random.Random(1).sample(range(model.config.vocab_size), CHOSEN))
    rows = []
    for tokens in prompts:
        with torch.no_grad():
            logits = model(torch.tensor([tokens])).logits[0]
        assert logits.dtype == torch.float32
        places = []
        for place in range(len(tokens) - positions, len(tokens)):
            listed = sorted(set(logits[place].topk(LARGEST).indices.tolist()) | set(chosen))
            places.append({"position": place, "logits": [[i, round(logits[place][i].item(), 6)] for i in listed]})
        rows.append({"tokens": tokens, "positions": places})
    return rows


# --- The default model ---------------------------------------------------------------------------


def make_default(path):
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, file = os.path.split(os.path.abspath(path))
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    # The tokenizer that transformers rebuilds from a GGUF has lost the splitting of digits.
    tokenizer.backend_tokenizer.pre_tokenizer = Sequence(
        [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)])
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32).eval()
    prompts = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in PROMPTS]
    assert all(10 <= len(tokens) <= 120 for tokens in prompts), [len(tokens) for tokens in prompts]
    write("default_logits.json", logits_of(model, prompts, positions=4))


# --- The tiny model ------------------------------------------------------------------------------


def tiny_config():
    from transformers import LlamaConfig
    return LlamaConfig(
        vocab_size=80, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, max_position_embeddings=512, rms_norm_eps=1e-5, tie_word_embeddings=False,
        bos_token_id=0, eos_token_id=1, pad_token_id=None,
        # Of Llama 3.1, with a context so short that frequencies of all three kinds are there.
        rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
                         "high_freq_factor": 4.0, "original_max_position_embeddings": 64})


def random_model(seed):
    from transformers import LlamaForCausalLM
    torch.manual_seed(seed)
    model = LlamaForCausalLM(tiny_config())
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(1 + 0.3 * torch.randn(weight.shape) if "norm" in name else 0.25 * torch.randn(weight.shape))
    return model


def tokens_as_text():
    """A tokenizer of which every token is a word: "<7>" has the id 7."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast
    words = Tokenizer(models.WordLevel({f"<{i}>": i for i in range(80)}, unk_token="<0>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<0>", eos_token="<1>", pad_token="<1>")


def tiny_pairs():
    draw = random.Random(5)

    def some(least, most):
        return [draw.randrange(2, 80) for _ in range(draw.randint(least, most))]

    prompts = [some(70, 90), some(20, 40), some(100, 120)]
    prompts.append(prompts[1])  # Two pairs share their prompt.
    pairs = [(prompt, some(4, 12), some(4, 12)) for prompt in prompts]
    prompt, chosen, rejected = pairs[2]
    pairs[2] = (prompt, chosen, chosen[:3] + rejected)  # Two answers begin alike.
    return pairs


def trl_losses(model, reference, pairs, folder):
    """TRL's trainer on pairs of token ids: what it trained with, and its losses; the gradient is left in the model."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    def text(tokens):
        return " ".join(f"<{token}>" for token in tokens)

    rows = [{"prompt": text(p), "chosen": " " + text(c), "rejected": " " + text(r)} for p, c, r in pairs]
    trainer = DPOTrainer(
        model=model, ref_model=reference, train_dataset=Dataset.from_list(rows), processing_class=tokens_as_text(),
        args=DPOConfig(output_dir=folder, per_device_train_batch_size=1, beta=0.1, loss_type=["sigmoid", "sft"],
                       loss_weights=[1.0, 1.0], precompute_ref_log_probs=True, max_length=512, use_cpu=True, bf16=False,
                       gradient_checkpointing=False, report_to=[], disable_tqdm=True))
    # Behind each answer TRL has put the end of a text.
    found = []
    for row, (prompt, chosen, rejected) in zip(trainer.train_dataset, pairs):
        assert row["prompt_ids"] == prompt
        assert row["chosen_ids"][:len(chosen)] == chosen and row["rejected_ids"][:len(rejected)] == rejected
        loss = trainer.compute_loss(trainer.model, trainer.data_collator([row]))
        loss.backward()
        found.append({"prompt": row["prompt_ids"], "chosen": row["chosen_ids"], "rejected": row["rejected_ids"],
                      "chosen_reference": row["ref_chosen_logps"], "rejected_reference": row["ref_rejected_logps"],
                      "loss": loss.item()})
    return found


def make_tiny():
    from safetensors.torch import save_file
    from transformers import LlamaForCausalLM
    random_model(1).to(torch.bfloat16).save_pretrained(HERE / "tiny")  # The file is small, and read without a rounding.
    (HERE / "tiny" / "generation_config.json").unlink()
    # Not the model that was written: its frequencies were rounded with it.
    model = LlamaForCausalLM.from_pretrained(HERE / "tiny", dtype=torch.float32).eval()
    draw = random.Random(3)
    prompts = [[draw.randrange(80) for _ in range(length)] for length in (20, 60, 90, 120)]
    write("tiny_logits.json", logits_of(model, prompts, positions=3))
    with tempfile.TemporaryDirectory() as folder:
        write("tiny_loss.json", trl_losses(model, random_model(2).eval(), tiny_pairs(), folder))
    save_file({name: weight.grad for name, weight in model.named_parameters()}, HERE / "tiny_gradient.safetensors")


def main():
    torch.set_num_threads(1)
    if sys.argv[1:] == ["tiny"]:
        make_tiny()
    elif sys.argv[1:2] == ["default"] and len(sys.argv) == 3:
        make_default(sys.argv[2])
    else:
        sys.exit(__doc__)


main()
