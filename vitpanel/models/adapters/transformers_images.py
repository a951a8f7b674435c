"""How transformers prepares images, from a preprocessor_config.json: exactly, or refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from vitpanel.errors import UnsupportedModelError, VitpanelError
from vitpanel.models.adapters.record import HINT
from vitpanel.models.arguments import whole
from vitpanel.models.images import Preprocessing
from vitpanel.models.stated import check_preparation

_PROCESSORS = ("ViTImageProcessor", "DeiTImageProcessor", "BitImageProcessor")
_STEPS = ("do_resize", "do_rescale", "do_normalize", "do_center_crop", "do_convert_rgb")
_ROUNDING = 1e-9


@dataclass(frozen=True)
class ProcessorPreprocessing(Preprocessing):
    """Resize, crop the middle, normalise, as the processors of transformers do with Pillow.

    Parameters
    ----------
    resize
        Height and width whatever the image's are, or the length of its shorter side alone; ``crop_pct`` and
        ``crop_mode`` follow from it.
    """

    resize: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """See `Preprocessing`."""
        object.__setattr__(self, "crop_pct", self.input_size[1] / self.resize[0])
        object.__setattr__(self, "crop_mode", "center" if len(self.resize) == 1 else "squash")
        super().__post_init__()
        object.__setattr__(self, "_crop_steps", [self._resized, self._cropped])

    def _resized(self, image: Image.Image) -> Image.Image:
        if len(self.resize) == 1:
            (short,) = self.resize
            long = int(short * max(image.size) / min(image.size))
            size = (short, long) if image.width <= image.height else (long, short)
        else:
            size = self.resize[::-1]
        return image.resize(size, Image.Resampling[self.interpolation.upper()])

    def _cropped(self, image: Image.Image) -> Image.Image:
        height, width = self.input_size[1:]
        # timm and torchvision round where transformers cuts off.
        top, left = (image.height - height) // 2, (image.width - width) // 2
        return image.crop((left, top, left + width, top + height))


def preprocessing_of(
    config: Mapping[str, Any], *, processor: str, channels: int, name: str, given: Mapping[str, Any]
) -> ProcessorPreprocessing:
    """What a preprocessor_config.json says.

    Parameters
    ----------
    processor
        Name of the class where the file names none.
    given
        ``mean`` and ``std`` in the place of the file's.

    Raises
    ------
    UnsupportedModelError
        If it asks for a step that is not known here.
    VitpanelError
        If a value that was given cannot be.
    """
    settings = _settings(config, processor=processor, name=name)
    resize = _sides(settings["size"])
    crop = _sides(settings["crop_size"]) if settings["do_center_crop"] else resize
    if len(crop) != 2 or any(side > limit for side, limit in zip(crop, resize * 2, strict=False)):  # noqa: PLR2004 - rows, columns
        raise _refused(name, f"size {settings['size']} with crop_size {settings['crop_size']}")
    mean, std = (
        settings[key] if settings["do_normalize"] else plain for key, plain in (("image_mean", 0), ("image_std", 1))
    )
    values = {
        "mean": _per_channel(given.get("mean", mean), channels),
        "std": _per_channel(given.get("std", std), channels),
        "interpolation": Image.Resampling(settings["resample"]).name.lower(),
    }
    for key in ("mean", "std"):
        if len(values[key]) != channels:
            raise _refused(name, f"{len(values[key])} values of {key} for {channels} channels")
    check_preparation(values, channels)
    return ProcessorPreprocessing(input_size=(channels, *crop), resize=resize, **values)


def restored_preprocessing(record: Mapping[str, Any], *, channels: int) -> ProcessorPreprocessing:
    """The same from a study's manifest, which may be a stranger's text.

    Raises
    ------
    VitpanelError
        If a value cannot be.
    """
    side = whole(1, 8192)
    for key, lengths in (("input_size", {3}), ("resize", {1, 2})):
        found = record.get(key)
        if not isinstance(found, list | tuple) or len(found) not in lengths or not all(map(side, found)):
            message = f"The study says that {key} of its images is {found!r:.80}."
            raise VitpanelError(message, hint=HINT)
    values: dict[str, Any] = {key: record.get(key) for key in ("input_size", "mean", "std", "interpolation", "resize")}
    check_preparation(values, channels)
    if not len(values["mean"]) == len(values["std"]) == values["input_size"][0] == channels:
        message = f"The study's images have {values['input_size'][0]} channels, its model {channels}."
        raise VitpanelError(message, hint=HINT)
    return ProcessorPreprocessing.from_dict(values)


def _settings(config: Mapping[str, Any], *, processor: str, name: str) -> dict[str, Any]:
    """All settings, with the class's own where the file has none."""
    import transformers

    stated = config.get("image_processor_type") or config.get("feature_extractor_type") or processor
    known = str(stated).replace("FeatureExtractor", "ImageProcessor").removesuffix("Fast").removesuffix("Pil")
    if known not in _PROCESSORS:
        raise _refused(name, f"the processor {stated!r:.80}")
    found: dict[str, Any] = getattr(transformers, known)(**config).to_dict()
    found = {"do_center_crop": False, "crop_size": None} | found
    for key, value in found.items():
        if key.startswith("do_") and key not in _STEPS and value:
            raise _refused(name, f"the step {key}")
    if not found["do_resize"]:
        raise _refused(name, "images that are not resized")
    if not found["do_rescale"] or abs(found["rescale_factor"] - 1 / 255) > _ROUNDING:
        raise _refused(name, f"rescale_factor {found['rescale_factor']} (do_rescale {found['do_rescale']})")
    return found


def _sides(size: Any) -> tuple[int, ...]:
    """Height and width, or the shorter side alone; nothing where it is given in another way."""
    stated = {key: value for key, value in dict(size or {}).items() if value}
    if set(stated) == {"height", "width"}:
        return int(stated["height"]), int(stated["width"])
    return (int(stated["shortest_edge"]),) if set(stated) == {"shortest_edge"} else ()


def _per_channel(value: Any, channels: int) -> tuple[float, ...]:
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    return tuple(float(part) for part in values) * (channels if len(values) == 1 else 1)


def _refused(name: str, what: str) -> UnsupportedModelError:
    message = f"preprocessor_config.json of {name} asks for {what}, which vitpanel does not do in the same way."
    hint = "It takes resize, centre crop, rescale by 1/255 and normalise."
    return UnsupportedModelError(message, hint=hint)
