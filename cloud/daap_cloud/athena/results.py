"""Results of Athena's queries as typed Arrow.

A result is text: by the API, with the types of its columns, a thousand rows a call; and whole, as a CSV file in which
NULL is nothing at all and an empty text is `""`. Source:
https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from botocore.exceptions import BotoCoreError

from daap.errors import EngineFailed, StoreUnavailable
from daap_cloud.athena.faults import asking
from daap_cloud.athena.runner import Execution
from daap_cloud.faults import translated

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_s3 import S3Client

_PAGE = 1_000
_BLOCK = 32 << 20
"""Bytes that are parsed at a time: no row of Athena's is longer."""

Convert = Callable[[pa.Array], pa.Array]

_TYPES = {
    "boolean": pa.bool_(), "tinyint": pa.int8(), "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(),
    "float": pa.float32(), "double": pa.float64(), "date": pa.date32(), "timestamp": pa.timestamp("us"),
    "varbinary": pa.binary(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Shape:
    """The columns of a result, and how the text of each becomes its values."""

    schema: pa.Schema
    converts: tuple[Convert, ...]

    def convert(self, columns: Sequence[pa.Array]) -> pa.RecordBatch:
        try:
            arrays = [convert(texts) for convert, texts in zip(self.converts, columns, strict=True)]
        except pa.ArrowInvalid as error:
            raise EngineFailed(f"a value of Athena's is out of the range of its type here: {error}") from error
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def read_result(execution: Execution, client: AthenaClient, store: S3Client) -> pa.RecordBatchReader:
    """The rows of a SELECT; raises StoreUnavailable where they cannot be read now."""
    with asking(f"read the result of query {execution.id}"):
        answer = client.get_query_results(QueryExecutionId=execution.id, MaxResults=_PAGE)
    result = answer["ResultSet"]
    shape = _shape_of(result["ResultSetMetadata"]["ColumnInfo"])
    if answer.get("NextToken"):
        batches = _read_file(execution.output, shape, store)
    else:
        batches = iter([_read_rows(result["Rows"], shape)])
    return pa.RecordBatchReader.from_batches(shape.schema, batches)


def _shape_of(infos: Sequence[Any]) -> _Shape:
    types = [_type_of(info) for info in infos]
    converts = [_converter(info["Type"], type_) for info, type_ in zip(infos, types, strict=True)]
    named = zip((info["Name"] for info in infos), types, strict=True)
    return _Shape(pa.schema(list(named)), tuple(converts))


def _type_of(info: Any) -> pa.DataType:  # noqa: ANN401 - the API's ColumnInfo
    """Types that text cannot give back exactly stay text."""
    if info["Type"] == "decimal":
        return pa.decimal128(info["Precision"], info["Scale"])
    return _TYPES.get(info["Type"], pa.string())


def _converter(name: str, type_: pa.DataType) -> Convert:
    if name == "varbinary":
        return _unhex
    if name == "char":  # Athena fills it up with spaces, which are not in the data
        return lambda texts: pc.utf8_rtrim(texts, characters=" ")
    return lambda texts: texts.cast(type_)


def _unhex(texts: pa.Array) -> pa.Array:
    return pa.array([None if text is None else bytes.fromhex(text) for text in texts.to_pylist()], pa.binary())


def _read_rows(rows: Sequence[Any], shape: _Shape) -> pa.RecordBatch:
    """The rows of an answer; the first are the names."""
    texts = [[datum.get("VarCharValue") for datum in row["Data"]] for row in rows[1:]]
    columns = list(zip(*texts, strict=True)) or [()] * len(shape.converts)
    return shape.convert([pa.array(column, pa.string()) for column in columns])


def _read_file(output: str, shape: _Shape, store: S3Client) -> Iterator[pa.RecordBatch]:
    """The rows of a result file as they come; its first are the names."""
    bucket, _, key = output.removeprefix("s3://").partition("/")
    with translated(f"read {output}"):
        body: Any = store.get_object(Bucket=bucket, Key=key)["Body"]
    names = 1
    try:
        for batch in _parse(body, len(shape.converts)):
            yield shape.convert(batch.slice(names).columns)
            names = 0
    except (OSError, BotoCoreError) as error:
        raise StoreUnavailable(f"cannot read {output}: {error}") from error


def _parse(body: Any, width: int) -> Any:  # noqa: ANN401 - botocore's and pyarrow's
    names = [f"c{place}" for place in range(width)]
    return pa.csv.open_csv(
        pa.PythonFile(body, mode="r"),
        pa.csv.ReadOptions(column_names=names, block_size=_BLOCK),
        pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )  # fmt: skip
