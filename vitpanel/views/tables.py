"""Tables as what is sent to a browser to be saved."""

import base64
from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

TABLE_KINDS = ("csv", "parquet")


def file_text(table: pd.DataFrame, kind: str, facts: Mapping[str, str]) -> str:
    """Return a table as a text of CSV, or as a file of Parquet in base64.

    Parameters
    ----------
    kind
        One of `TABLE_KINDS`.
    facts
        What the table is of. A file of Parquet has them as key-value metadata, each key after ``vitpanel.``; CSV has no
        place for them.
    """
    if kind == "csv":
        return table.to_csv(index=False)
    converted = pa.Table.from_pandas(table, preserve_index=False)
    own = {f"vitpanel.{name}": text for name, text in facts.items()}
    sink = pa.BufferOutputStream()
    parquet.write_table(converted.replace_schema_metadata((converted.schema.metadata or {}) | own), sink)
    return base64.b64encode(sink.getvalue()).decode()
