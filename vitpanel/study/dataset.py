"""A study as an xarray Dataset, whose arrays are read when they are looked at."""
# pyright: standard
# (pandas and xarray come without strict types)

from typing import Any

import numpy as np
import xarray as xr
from xarray.backends.common import BackendArray
from xarray.core.indexing import ExplicitIndexer, IndexingSupport, LazilyIndexedArray, explicit_indexing_adapter

from vitpanel.core.regions import PruningMode
from vitpanel.study.reader import Study
from vitpanel.study.stage import ArraySpec

# What of the table of images stands beside their numbers.
IMAGE_COLUMNS = ("file", "label", "label_name", "predicted", "predicted_name", "p_true")


def to_dataset(study: Study) -> xr.Dataset:
    """Return all arrays that a study has, with named dimensions.

    Nothing is read before it is looked at. Of some images then only their blocks are read, and not kept; an array that
    is looked at as a whole is kept by the study.

    Returns
    -------
    Variables have the names of the arrays with ``_`` for ``/``, as ``importance_jsd``, and the name itself in their
    attribute ``array``. Rows of images that are not done are NaN. Dimensions have coordinates where their places have
    names: images, layers, heads, hops, classes, modes, and x and y of layouts; the columns of ``study.images`` lie
    along the images. The attribute ``absent`` says of each array that is not there why.
    """
    there = [spec for name, spec in study.arrays.items() if name in study]
    absent = [f"{name}: {study.reason(name)}" for name in study.arrays if name not in study]
    variables = {spec.name.replace("/", "_"): _variable(study, spec) for spec in there}
    attributes = {"study": study.path.name, "model": study.manifest.model["name"], "absent": absent}
    return xr.Dataset(variables, coords=_coordinates(study, there), attrs=attributes)


def _variable(study: Study, spec: ArraySpec) -> xr.Variable:
    data = LazilyIndexedArray(_StoredArray(study, spec))
    return xr.Variable(spec.dims, data, attrs={"array": spec.name, "stage": spec.stage})


def _coordinates(study: Study, there: list[ArraySpec]) -> dict[str, Any]:
    sizes = {dim: size for spec in there for dim, size in zip(spec.dims, spec.shape, strict=True)}
    names = {"class": study.class_names, "axis": ("x", "y"), "mode": [int(mode) for mode in PruningMode]}
    numbered = ("image", "layer", "head", "hop", "rank")
    along = {dim: (dim, np.arange(sizes[dim])) for dim in numbered if dim in sizes}
    along |= {dim: (dim, list(places)) for dim, places in names.items() if dim in sizes}
    columns = {name: ("image", study.images[name].to_numpy()) for name in IMAGE_COLUMNS} if "image" in sizes else {}
    return along | columns


class _StoredArray(BackendArray):
    """One array of a study, as xarray asks for parts of it."""

    def __init__(self, study: Study, spec: ArraySpec) -> None:
        self.study, self.spec = study, spec
        self.shape, self.dtype = spec.shape, np.dtype(spec.dtype)

    def __getitem__(self, key: ExplicitIndexer) -> np.ndarray:
        return explicit_indexing_adapter(key, self.shape, IndexingSupport.OUTER, self._part)

    def __deepcopy__(self, memo: dict[int, Any]) -> "_StoredArray":
        """Nothing of it can be written to, so a copy is the same."""
        return self

    def _part(self, key: tuple[Any, ...]) -> np.ndarray:
        first, *rest = key
        rows = np.arange(self.shape[0])[first]
        if not self.spec.is_per_block or rows.size == self.shape[0]:
            # The study keeps what was read as a whole, for all who ask.
            return _outer(self.study[self.spec.name], key)
        found = _outer(self._rows(np.atleast_1d(rows)), (slice(None), *rest))
        return found if rows.ndim else found[0]

    def _rows(self, rows: np.ndarray) -> np.ndarray:
        """Rows of images ``(n_rows, ...)``, for which each block is read once; NaN for those that are not done."""
        size = self.study.manifest.block_size
        empty = np.nan if self.dtype.kind == "f" else 0
        found = np.full((len(rows), *self.shape[1:]), empty, self.dtype)
        for block in {*(rows // size).tolist()} & {*self.study.blocks_with(self.spec.name)}:
            own = rows // size == block
            found[own] = self.study.block(self.spec.name, block)[rows[own] % size]
        return found


def _outer(values: np.ndarray, key: tuple[Any, ...]) -> np.ndarray:
    """Index each axis by itself, with numbers, slices or lists of numbers."""
    for axis in reversed(range(values.ndim)):
        values = values[(slice(None),) * axis + (key[axis],)]
    return values
