"""The arguments of timm's constructors that a study may keep, with their types and ranges.

A study's manifest can be a stranger's text, so that what it hands to a library comes from a closed list: no file, no
address, no class, and no size beyond what transformers have.
"""

from collections.abc import Callable, Mapping
from typing import Any

from vitpanel.errors import VitpanelError

# What makes timm look for weights elsewhere, or build something else than a model: never passed on.
SOURCES = (
    "cache_dir",
    "checkpoint_path",
    "features_only",
    "pretrained",
    "pretrained_cfg",
    "pretrained_cfg_overlay",
    "pretrained_strict",
)
_LONGEST_WORD, _MOST_LAYERS = 40, 1024

Test = Callable[[Any], bool]
# Names with spaces between, what they may be in words, and the test of it.
Rules = tuple[tuple[str, str, Test], ...]


def whole(low: int, high: int) -> Test:
    """A whole number in a range, no bool."""
    return lambda value: type(value) is int and low <= value <= high


def number(low: float, high: float) -> Test:
    """A number in a range, no bool."""
    return lambda value: type(value) in {int, float} and low <= value <= high


def word(value: Any) -> bool:
    """Whether a value is a short name or nothing."""
    return isinstance(value, str) and len(value) <= _LONGEST_WORD and (not value or value.isidentifier())


def one_or_two(test: Test) -> Test:
    """One value or two of a kind."""
    return lambda value: test(value) or (isinstance(value, list | tuple) and len(value) == 2 and all(map(test, value)))  # noqa: PLR2004


def one_or_each(test: Test) -> Test:
    """One value, or one for each layer."""
    return lambda value: (
        test(value) or (isinstance(value, list | tuple) and len(value) <= _MOST_LAYERS and all(map(test, value)))
    )


def none_or(test: Test) -> Test:
    """None, or what another test says."""
    return lambda value: value is None or test(value)


_SWITCHES = """
    attn_only_layer_scale class_token dynamic_img_pad dynamic_img_size fc_norm final_norm fix_init gated_attn
    no_embed_class pool_include_prefix pre_norm proj_bias qk_norm qkv_bias qkv_bias_separate qkv_fused rope_mixed_mode
    rope_rotate_half scale_attn_inner scale_attn_norm scale_mlp scale_mlp_norm scale_norm strict_img_size swiglu_mlp
    use_abs_pos_emb use_fc_norm use_naflex use_post_norm use_post_transformer_norm use_pre_transformer_norm
    use_rel_pos_bias use_rot_pos_emb use_shared_rel_pos_bias
"""
_ALLOWED: Rules = (
    ("img_size patch_size", "one or two whole numbers from 1 to 8192", one_or_two(whole(1, 8192))),
    ("embed_dim", "a whole number from 1 to 16384", whole(1, 16384)),
    ("depth", "a whole number from 1 to 512", whole(1, 512)),
    ("num_heads", "a whole number from 1 to 512, or one for each layer", one_or_each(whole(1, 512))),
    ("in_chans", "a whole number from 1 to 16", whole(1, 16)),
    ("num_classes", "a whole number from 0 to 1000000", whole(0, 1_000_000)),
    ("reg_tokens num_reg_tokens", "a whole number from 0 to 1024", whole(0, 1024)),
    ("attn_head_dim attn_pool_num_heads num_kv_heads", "a whole number from 1 to 1024", none_or(whole(1, 1024))),
    ("mlp_ratio attn_pool_mlp_ratio", "a number from 0 to 64", none_or(number(0, 64))),
    ("init_values head_init_scale rope_temperature", "a number from 0 to 100000", none_or(number(0, 100_000))),
    (
        "drop_rate pos_drop_rate patch_drop_rate proj_drop_rate attn_drop_rate drop_path_rate",
        "a number from 0 to 1",
        number(0, 1),
    ),
    (_SWITCHES, "True, False or None", none_or(lambda value: isinstance(value, bool))),
    (
        "act_layer attn_layer attn_type embed_norm_layer global_pool norm_layer pos_embed rope_type weight_init",
        "a word",
        none_or(word),
    ),
)


def refuse_sources(arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that lead to other weights than those that are named.

    Raises
    ------
    VitpanelError
        With the option that stands in the place of such an argument.
    """
    for name in SOURCES:
        if name in arguments:
            message = f"{name} is not taken as an argument of the model."
            hint = "Weights are named by --checkpoint, and what prepares images by --mean, --std and --crop-pct."
            raise VitpanelError(message, hint=hint)


def check_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse what is not on the list of arguments that a study may keep.

    Raises
    ------
    VitpanelError
        With the argument, its value and what it may be.
    """
    refuse_sources(arguments)
    check_values(arguments, _ALLOWED)


def check_values(arguments: Mapping[str, Any], allowed: Rules) -> None:
    """Refuse what is not on a list.

    Raises
    ------
    VitpanelError
        With the argument, its value and what it may be.
    """
    by_name = {name: (words, test) for names, words, test in allowed for name in names.split()}
    for name, value in arguments.items():
        if name not in by_name:
            message = f"{name:.80} is not among the arguments of a model that a study may keep."
            raise VitpanelError(message, hint=f"These are: {', '.join(sorted(by_name))}.")
        words, test = by_name[name]
        if not test(value):
            message = f"The argument {name} of the model is {value!r:.80}."
            raise VitpanelError(message, hint=f"It must be {words}.")
