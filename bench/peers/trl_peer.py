"""TRL's DPOTrainer with DPO + NLL of the chosen answer, run by a Python that has it (PEERS_PYTHON); see train and
train_gradient beside this file. Prints one JSON object.

  trl_peer.py time MODEL.gguf PAIRS.jsonl COUNT fp32|bf16 LORA_RANK
  trl_peer.py prepare MODEL.gguf PAIRS.jsonl COUNT FOLDER      the policy's folder and the pairs' tokens
  trl_peer.py gradient MODEL.gguf PAIRS.jsonl COUNT FOLDER     losses, and how its gradient compares with FOLDER's
"""
import json, os, resource, sys, tempfile, time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

import torch
from datasets import Dataset, disable_caching, disable_progress_bars
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def load_tokenizer(path):
    folder, file = os.path.split(os.path.abspath(path))
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    # The tokenizer that transformers rebuilds from a GGUF has lost the splitting of digits.
    tokenizer.backend_tokenizer.pre_tokenizer = Sequence(
        [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)])
    return tokenizer


def load_model(path):
    folder, file = os.path.split(os.path.abspath(path))
    loaded = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32)
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = AutoModelForCausalLM.from_config(config).float()
    model.load_state_dict(loaded.state_dict())
    return model


def moved(model):
    """The model as it might be after some training, so that it is not its own reference."""
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(1 + 0.02 * torch.randn(weight.shape, generator=draw))
    return model


def read_pairs(path, count):
    rows = [json.loads(line) for _, line in zip(range(count), open(path, encoding="utf-8"))]
    return Dataset.from_list([{side: row[side] for side in ("prompt", "chosen", "rejected")} for row in rows])


def make_trainer(model, reference, tokenizer, pairs, folder, bf16=False, peft=None):
    return DPOTrainer(
        model=model, ref_model=reference, train_dataset=pairs, processing_class=tokenizer, peft_config=peft,
        args=DPOConfig(output_dir=folder, per_device_train_batch_size=1, gradient_accumulation_steps=16,
                       num_train_epochs=1, beta=0.1, loss_type=["sigmoid", "sft"], loss_weights=[1.0, 1.0],
                       learning_rate=1e-5, max_length=2048, logging_steps=1, save_strategy="no", report_to=[],
                       use_cpu=True, bf16=bf16, gradient_checkpointing=False, precompute_ref_log_probs=True, seed=1,
                       disable_tqdm=True))


def time_training(gguf, pairs, count, precision, rank):
    peft = None
    if int(rank):
        from peft import LoraConfig
        peft = LoraConfig(r=int(rank), lora_alpha=2 * int(rank), task_type="CAUSAL_LM", target_modules=TARGETS)
    tokenizer, model, rows = load_tokenizer(gguf), load_model(gguf), read_pairs(pairs, int(count))
    with tempfile.TemporaryDirectory() as folder:
        # The reference's log-probabilities are computed while the trainer is made.
        start = time.perf_counter(), time.process_time()
        trainer = make_trainer(model, None, tokenizer, rows, folder, precision == "bf16", peft)
        ready = time.perf_counter(), time.process_time()
        trainer.train()
        end = time.perf_counter(), time.process_time()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    tokens = sum(2 * len(row["prompt_ids"]) + len(row["chosen_ids"]) + len(row["rejected_ids"])
                 for row in trainer.train_dataset)
    return {"pairs": len(trainer.train_dataset), "reference_s": ready[0] - start[0], "train_s": end[0] - ready[0],
            "reference_processor_s": ready[1] - start[1], "train_processor_s": end[1] - ready[1], "losses": losses,
            "tokens": tokens, "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def prepare(gguf, pairs, count, folder):
    trainer = make_trainer(load_model(gguf), None, load_tokenizer(gguf), read_pairs(pairs, int(count)), folder)
    rows = [{side: row[f"{side}_ids"] for side in ("prompt", "chosen", "rejected")} for row in trainer.train_dataset]
    json.dump(rows, open(os.path.join(folder, "pairs.json"), "w"))
    moved(load_model(gguf)).save_pretrained(os.path.join(folder, "policy"))
    return {"tokens": [sum(map(len, row.values())) for row in rows]}


def gradient(gguf, pairs, count, folder):
    from safetensors import safe_open
    model = moved(load_model(gguf))
    trainer = make_trainer(model, load_model(gguf), load_tokenizer(gguf), read_pairs(pairs, int(count)), folder)
    model.eval()  # There is no dropout; and nothing of the trainer's loop is used.
    # transformers leaves a pad token's row out of the embedding's gradient where it is an input. This model pads with the
    # token that ends a message, which every pair has: a row that would be wrong is no measure of ours.
    model.get_input_embeddings().padding_idx = None
    losses = []
    for row in trainer.train_dataset:
        loss = trainer.compute_loss(model, trainer.data_collator([row]))
        loss.backward()
        losses.append(loss.item())
    products, cosines = [0.0, 0.0, 0.0], {}
    with safe_open(os.path.join(folder, "gradient.safetensors"), framework="pt") as ours:
        names = {name for name, _ in model.named_parameters()}
        if names != set(ours.keys()):
            sys.exit(f"other weights have gradients: {sorted(names ^ set(ours.keys()))}")
        for name, weight in model.named_parameters():
            mine, other = ours.get_tensor(name).double().flatten(), weight.grad.double().flatten()
            three = [(mine @ mine).item(), (other @ other).item(), (mine @ other).item()]
            cosines[name] = three[2] / (three[0] * three[1]) ** 0.5
            products = [a + b for a, b in zip(products, three)]
    worst = min(cosines, key=cosines.get)
    return {"losses": losses, "cosine": products[2] / (products[0] * products[1]) ** 0.5, "norm": products[1] ** 0.5,
            "our_norm": products[0] ** 0.5, "worst": worst, "worst_cosine": cosines[worst], "weights": len(cosines)}


def main():
    parts = {"time": time_training, "prepare": prepare, "gradient": gradient}
    if len(sys.argv) < 2 or sys.argv[1] not in parts:
        sys.exit(__doc__)
    disable_caching()
    disable_progress_bars()
    torch.set_num_threads(os.cpu_count())
    sys.stdout, printed = sys.stderr, sys.stdout  # The trainer prints what it logs.
    print(json.dumps(parts[sys.argv[1]](*sys.argv[2:])), file=printed)


main()
