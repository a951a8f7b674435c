"""timm models: loaded and checked, their attention captured and edited."""

import warnings

# timm brings huggingface_hub, and that brings the progress bars of notebooks, which complain of missing ipywidgets in
# red below the cell. Nothing here draws such bars. A module that is imported once says nothing later.
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="IProgress not found")
    import tqdm.auto  # noqa: F401
