"""What of a configuration of transformers decides about a model: a closed list, checked, and all that a study keeps."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from vitpanel.errors import CheckpointError, UnsupportedModelError, VitpanelError
from vitpanel.models.arguments import Rules, check_values, none_or, number, one_or_two, whole, word


class Kind(NamedTuple):
    """A family of models.

    Parameters
    ----------
    config
        Name of its class of configurations.
    architectures
        Names of its classes that are taken: classifiers, and backbones without a class head.
    keys
        What decides about the model, apart from its classes.
    processor
        Name of the class that prepares its images where the folder names none.
    """

    config: str
    architectures: tuple[str, ...]
    keys: tuple[str, ...]
    processor: str


_PLAIN = ("hidden_size", "num_hidden_layers", "num_attention_heads", "hidden_act", "layer_norm_eps", "image_size")
_PLAIN += ("patch_size", "num_channels", "qkv_bias")
_DINO = (*_PLAIN, "mlp_ratio", "layerscale_value", "use_swiglu_ffn")
_DEIT = ("DeiTForImageClassification", "DeiTForImageClassificationWithTeacher", "DeiTModel")
KINDS = {
    "vit": Kind(
        "ViTConfig", ("ViTForImageClassification", "ViTModel"), (*_PLAIN, "intermediate_size"), "ViTImageProcessor"
    ),
    "deit": Kind("DeiTConfig", _DEIT, (*_PLAIN, "intermediate_size"), "DeiTImageProcessor"),
    "dinov2": Kind(
        "Dinov2Config",
        ("Dinov2ForImageClassification", "Dinov2Model"),
        (*_DINO, "use_mask_token"),
        "BitImageProcessor",
    ),
    "dinov2_with_registers": Kind(
        "Dinov2WithRegistersConfig",
        ("Dinov2WithRegistersForImageClassification", "Dinov2WithRegistersModel"),
        (*_DINO, "num_register_tokens"),
        "BitImageProcessor",
    ),
}
TAKEN = "ViT, DeiT, DINOv2 and DINOv2 with registers, as classifiers or as plain models without a class head"
# Of these the output in evaluation does not depend, or they are read on their own.
_HARMLESS = """
    architectures model_type id2label label2id num_labels problem_type dtype torch_dtype transformers_version
    initializer_range hidden_dropout_prob attention_probs_dropout_prob drop_path_rate encoder_stride pooler_act
    pooler_output_size apply_layernorm reshape_hidden_states out_features out_indices stage_names _name_or_path
    finetuning_task return_dict output_attentions output_hidden_states is_encoder_decoder attn_implementation
"""
# What every model has beside the keys of its family.
_OWN = ("architecture", "num_labels", "problem_type")
_SWITCH = "True or False"
_RULES: Rules = (
    ("architecture", "a class of transformers that is taken", lambda value: value in _kind_of()),
    ("image_size patch_size", "one or two whole numbers from 1 to 8192", one_or_two(whole(1, 8192))),
    ("hidden_size", "a whole number from 1 to 16384", whole(1, 16384)),
    ("intermediate_size", "a whole number from 1 to 1048576", whole(1, 1_048_576)),
    ("num_hidden_layers num_attention_heads", "a whole number from 1 to 512", whole(1, 512)),
    ("num_channels", "a whole number from 1 to 16", whole(1, 16)),
    ("num_labels", "a whole number from 0 to 1000000", whole(0, 1_000_000)),
    ("num_register_tokens", "a whole number from 0 to 1024", whole(0, 1024)),
    ("mlp_ratio", "a whole number from 1 to 64", whole(1, 64)),
    ("layer_norm_eps", "a number from 0 to 1", number(0, 1)),
    ("layerscale_value", "a number from 0 to 100000", number(0, 100_000)),
    ("hidden_act", "a word", word),
    ("problem_type", "a word or None", none_or(word)),
    ("qkv_bias use_swiglu_ffn use_mask_token", _SWITCH, lambda value: isinstance(value, bool)),
)


def kind_of(arguments: Mapping[str, Any]) -> Kind:
    """The family of the architecture in checked arguments."""
    return KINDS[_kind_of()[arguments["architecture"]]]


def check_kept(arguments: Mapping[str, Any]) -> None:
    """Refuse arguments of a study that are not on the list, are not all there, or do not fit together.

    Raises
    ------
    VitpanelError
        With the argument, its value and what it may be.
    """
    check_values(arguments, _RULES)
    if "architecture" not in arguments:
        message = "The study does not say which class of transformers its model is."
        raise VitpanelError(message, hint="Compute the study again.")
    wanted = {*_OWN, *kind_of(arguments).keys}
    if wrong := sorted(wanted ^ set(arguments)):
        message = f"The study's model of transformers lacks, or has beside what there is: {', '.join(wrong)}."
        raise VitpanelError(message, hint="Compute the study again.")


def kept_arguments(config: Mapping[str, Any], defaults: Mapping[str, Any], *, name: str) -> dict[str, Any]:
    """What decides about a model, from its config.json.

    Parameters
    ----------
    defaults
        The library's configuration of this family without anything given.

    Raises
    ------
    UnsupportedModelError, VitpanelError
        If something of it is not known here, so that the model would be another than the file says.
    """
    architecture = architecture_of(config, name=name)
    kind = KINDS[_kind_of()[architecture]]
    for key, value in config.items():
        if key not in kind.keys and key not in _HARMLESS.split() and key in defaults and value != defaults[key]:
            message = f"config.json of {name} says {key} = {value!r:.80}, which vitpanel does not know."
            raise UnsupportedModelError(message, hint="Its model might be another one than that which would be shown.")
    arguments = {key: config.get(key, defaults[key]) for key in kind.keys}
    n_labels = len(config["id2label"]) if "id2label" in config else config.get("num_labels", 2)
    has_classes = architecture.endswith(("Classification", "WithTeacher"))
    own = (architecture, n_labels if has_classes else 0, config.get("problem_type"))
    arguments |= dict(zip(_OWN, own, strict=True))
    check_kept(arguments)
    return arguments


def architecture_of(config: Mapping[str, Any], *, name: str) -> str:
    """The class that a config.json names.

    Raises
    ------
    CheckpointError
        If it is none of transformers.
    UnsupportedModelError
        If vitpanel does not take it.
    """
    if not isinstance(config.get("model_type"), str):
        message = f"config.json of {name} is none of the library transformers: it has no model_type."
        hint = "A folder that timm saved is named by --model local-dir:FOLDER."
        raise CheckpointError(message, hint=hint)
    stated = config.get("architectures") or ["no class"]
    if stated[0] not in _kind_of():
        message = f"{name} is {stated[0]} of transformers ({config['model_type']}), which vitpanel does not take."
        raise UnsupportedModelError(message, hint=f"It takes {TAKEN}; and many more of timm.")
    return stated[0]


def labels_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the classes in their order; none where the library has only numbered them."""
    named = config.get("id2label") or {}
    try:
        names = tuple(str(named[key]) for key in sorted(named, key=int))
    except (TypeError, ValueError):
        return ()
    return () if all(name == f"LABEL_{number}" for number, name in enumerate(names)) else names


def why_no_classes(arguments: Mapping[str, Any]) -> str:
    """Why the outputs are not one choice among classes, as a sentence; empty where they are."""
    if arguments["num_labels"] == 0:
        return "The model has no class head."
    if arguments["num_labels"] == 1:
        return "The model has one output, which transformers trains as a number and not as a class."
    problem = arguments["problem_type"]
    if problem in {None, "single_label_classification"}:
        return ""
    return f"The model's outputs are not one choice among classes: its configuration says {problem!r:.80}."


def _kind_of() -> dict[str, str]:
    """Family of every class that is taken."""
    return {architecture: key for key, kind in KINDS.items() for architecture in kind.architectures}
