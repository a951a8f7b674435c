import base64
import io

import pandas as pd
import pytest
from pyarrow import parquet

from vitpanel.views.tables import file_text

TABLE = pd.DataFrame({"image": [1, 2], "label": ["a,b", "ü <b>"], "value": [0.5, float("nan")]})
FACTS = {"study": "mine", "image": "3 (T-shirt & <top>)", "brushed images": "images of class ü"}


def test_parquet_has_the_table_and_what_it_is_of():
    content = base64.b64decode(file_text(TABLE, "parquet", FACTS))
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(content)), TABLE, check_dtype=False)
    kept = parquet.read_schema(io.BytesIO(content)).metadata
    assert {name: kept[f"vitpanel.{name}".encode()].decode() for name in FACTS} == FACTS


@pytest.mark.parametrize("facts", [{}, FACTS])
def test_csv_is_the_table_alone(facts):
    assert file_text(TABLE, "csv", facts) == 'image,label,value\n1,"a,b",0.5\n2,ü <b>,\n'


def test_a_table_without_rows_is_saved_too():
    content = base64.b64decode(file_text(TABLE.iloc[:0], "parquet", FACTS))
    assert list(pd.read_parquet(io.BytesIO(content)).columns) == list(TABLE.columns)
