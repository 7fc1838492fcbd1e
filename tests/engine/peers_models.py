"""What transformers, tokenizers and PEFT make of the folders that selene writes, as one JSON object on standard output.

  python peers_models.py tokens TOKENIZER_FOLDER TEXTS.json           ids of each text, special tokens included
  python peers_models.py logits MODEL_FOLDER IDS.json [PEFT_FOLDER]   logits after each token
  python peers_models.py merged MODEL_FOLDER PEFT_FOLDER OUT          the model with the adapter in it, written to OUT

Run by huggingface_model_test.cpp with PEERS_PYTHON, a Python that has torch, transformers and peft.
"""
import json, sys


def model_of(folder, peft=None):
    import torch
    from transformers import AutoModelForCausalLM
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    if peft:
        from peft import PeftModel
        model = PeftModel.from_pretrained(model, peft)
    return model.eval()


def tokens(folder, texts):
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return {"ids": [tokenizer(text)["input_ids"] for text in json.load(open(texts))],
            "template": tokenizer.chat_template, "bos": tokenizer.bos_token, "eos": tokenizer.eos_token}


def logits(folder, ids, peft=None):
    import torch
    with torch.no_grad():
        return {"logits": model_of(folder, peft)(torch.tensor([json.load(open(ids))])).logits[0].tolist()}


def merged(folder, peft, out):
    model_of(folder, peft).merge_and_unload().save_pretrained(out)
    return {}


print(json.dumps({"tokens": tokens, "logits": logits, "merged": merged}[sys.argv[1]](*sys.argv[2:])))
