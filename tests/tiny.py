"""Tiny random language models of several families, a tokenizer trained on a page of text, and the plain way to score."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, PreTrainedTokenizerFast
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from workbench.models.verbs import Request, Scores

CORPUS = [
    "Question: What is the capital of France? Answer: Paris is the capital of France.",
    "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.",
    "Twelve and seven make nineteen; the day after Monday is Tuesday; gold is an element.",
] * 3
VOCABULARY = 380
SIZES: dict[str, Any] = {
    "vocab_size": 416,  # more rows than tokens, as in many models
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "initializer_range": 0.3,  # logits that differ
}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "qwen2": ("qwen2", {}),
    "qwen3": ("qwen3", {"head_dim": 8}),
    "mistral": ("mistral", {"sliding_window": 6}),
    "gemma2": ("gemma2", {"head_dim": 8, "sliding_window": 6, "final_logit_softcapping": 3.0}),
    "gemma3": (
        "gemma3_text",
        {
            "head_dim": 8,
            "sliding_window": 6,
            "layer_types": ["sliding_attention", "full_attention"] * 1 + ["sliding_attention"],
        },
    ),
    "cohere": ("cohere", {"logit_scale": 0.3}),
    "granite": ("granite", {"logits_scaling": 3.0}),
    "phi": ("phi", {}),  # a head with a bias
    "gpt_neox": ("gpt_neox", {}),
    "gpt2": ("gpt2", {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 256, "n_inner": 48}),
    "opt": ("opt", {"ffn_dim": 48, "word_embed_proj_dim": 16, "init_std": 0.3}),
    "bloom": ("bloom", {"n_layer": 3, "n_head": 4}),  # no position ids
    "mamba": ("mamba", {"state_size": 4}),  # no attention at all
}


@cache
def tokenizer(
    *, adds_bos: bool = False, pad: bool = True, side: str = "right", eos: bool = True
) -> PreTrainedTokenizerFast:
    """Return a byte-level tokenizer; <bos> is 1, and it is put before a text if `adds_bos`."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<pad>", "<bos>", "<eos>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(CORPUS, trainer)
    if adds_bos:
        inner.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 1)])
    names = {"bos_token": "<bos>"} | ({"pad_token": "<pad>"} if pad else {}) | ({"eos_token": "<eos>"} if eos else {})
    return PreTrainedTokenizerFast(tokenizer_object=inner, padding_side=side, **names)


def language_model(family: str = "llama", *, seed: int = 0, **changes: Any) -> Any:
    """Return a tiny random model of a family, float32."""
    kind, extra = FAMILIES[family]
    torch.manual_seed(seed)
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    config = CONFIG_MAPPING[kind](**SIZES | ids | extra | changes)
    model = AutoModelForCausalLM.from_config(config).eval()
    if family == "phi":
        torch.nn.init.normal_(model.lm_head.bias)
    return model


MASKED: dict[str, dict[str, Any]] = {
    "bert": {},
    "roberta": {},
    "albert": {"embedding_size": 16},
    "distilbert": {"dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 4},
    "electra": {"embedding_size": 16},
}


@cache
def masked_tokenizer(*, lower: bool = False, mask: bool = True) -> PreTrainedTokenizerFast:
    """Return a byte-level tokenizer that puts <cls> (1) and <sep> (2) around a text; <mask> is 3, <pad> 0."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    if lower:
        inner.normalizer = normalizers.Lowercase()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<pad>", "<cls>", "<sep>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(CORPUS, trainer)
    special = [("<cls>", 1), ("<sep>", 2)]
    inner.post_processor = processors.TemplateProcessing(single="<cls> $A <sep>", special_tokens=special)
    names = {"cls_token": "<cls>", "sep_token": "<sep>", "pad_token": "<pad>"}
    return PreTrainedTokenizerFast(tokenizer_object=inner, **names, **({"mask_token": "<mask>"} if mask else {}))


def masked_model(family: str = "bert", *, seed: int = 0, **changes: Any) -> Any:
    """Return a tiny random masked language model, float32."""
    torch.manual_seed(seed)
    sizes = {key: value for key, value in SIZES.items() if key != "num_key_value_heads"} | {"num_hidden_layers": 2}
    if family == "distilbert":
        sizes = {key: sizes[key] for key in ("vocab_size", "max_position_embeddings", "initializer_range")}
    config = CONFIG_MAPPING[family](**sizes | {"pad_token_id": 0} | MASKED[family] | changes)
    return AutoModelForMaskedLM.from_config(config).eval()


def pair(tokens: Any, request: Request) -> tuple[list[int], int]:
    """Return ids and the length of the context as lm-eval's `_encode_pair` splits them (a second source, for plain cases)."""
    context, continuation = request
    spaces = len(context) - len(context.rstrip())
    if spaces:
        context, continuation = context[:-spaces], context[-spaces:] + continuation
    if not context:
        return [tokens.bos_token_id, *tokens(continuation, add_special_tokens=False)["input_ids"]], 1
    return tokens(context + continuation)["input_ids"], len(tokens(context)["input_ids"])


@torch.no_grad()
def plain(model: Any, ids: Sequence[int], n_context: int) -> np.ndarray:
    """Return (5, n): log p, top, mean, variance, rank of each target, from all logits and a float64 softmax."""
    logits = model(torch.tensor([ids[:-1]])).logits[0, n_context - 1 :].double()
    logp = logits.log_softmax(-1)
    target = torch.tensor(ids[n_context:])[:, None]
    mean = (logp.exp() * logp).sum(-1)
    var = (logp.exp() * logp**2).sum(-1) - mean**2
    order = logits.sort(-1, descending=True).indices
    rank = (order == target).nonzero()[:, 1].double()
    return torch.stack([logp.gather(-1, target)[:, 0], logp.amax(-1), mean, var, rank]).numpy()


@torch.no_grad()
def rank_bounds(model: Any, ids: Sequence[int], n_context: int, slack: float = 1e-4) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and greatest rank of each target when logits are known to `slack`: float32 cannot order nearer ones."""
    logits = model(torch.tensor([ids[:-1]])).logits[0, n_context - 1 :].double()
    own = logits.gather(-1, torch.tensor(ids[n_context:])[:, None])
    return (logits > own + slack).sum(-1).numpy(), (logits > own - slack).sum(-1).numpy() - 1


def answers(scores: Scores, i: int) -> np.ndarray:
    """Return the same five rows of request i from a result."""
    part = slice(scores.offsets[i], scores.offsets[i + 1])
    return np.stack(
        [scores.logp[part], scores.top_logp[part], scores.mean_logp[part], scores.var_logp[part], scores.rank[part]]
    )


REQUESTS = [
    Request("Question: What is the capital of France? Answer:", " Paris is the capital"),
    Request("Question: What is the capital of France? Answer:", " gold"),
    Request("The quick brown fox", " jumps over the lazy dog, and the dog does not mind"),
    Request("The quick brown fox ", "jumps"),
    Request("", "Twelve and seven make nineteen"),
    Request("Gold is an element; the day after Monday is Tuesday; nineteen and twelve make what? Say", " thirty-one"),
    Request("é", "ü 日本"),
    Request("A", "\nB"),
]
