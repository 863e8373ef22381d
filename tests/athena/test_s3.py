"""S3's API over folders."""

import hashlib
import io
import itertools
import threading

import httpx
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from daap_local.athena.api.s3_body import ChunkDecoder
from daap_local.athena.objects.paths import decode_part, encode_key
from daap_local.athena.objects.tree import Tree
from tests.athena.serving import Served

AWKWARD = ["a b", "a%2Fb", "a+b", ".hidden", "ü/é", "x*?[1]", "dir/", "a=b/c=2024-01-01 00%3A00", "q'\"", "日本/x"]


@pytest.fixture
def bucket(database):
    return database.replace("_", "-")


def put(server, bucket, key, data=b"x", **given):
    return server.s3.put_object(Bucket=bucket, Key=key, Body=data, **given)


def code(call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    return caught.value.response["Error"]["Code"]


@pytest.mark.parametrize("key", AWKWARD)
def test_any_key_is_kept_and_listed_as_it_is(server: Served, bucket, key):
    put(server, bucket, key, key.encode())
    assert server.keys(bucket) == [key]
    assert server.read(f"s3://{bucket}/{key}") == key.encode()
    server.s3.delete_object(Bucket=bucket, Key=key)
    assert server.keys(bucket) == []


def test_the_etag_is_the_md5_of_what_was_put(server: Served, bucket):
    data = b"some bytes" * 1000
    etag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
    assert put(server, bucket, "k", data, Metadata={"who": "me"}, ContentType="text/plain")["ETag"] == etag
    found = server.s3.head_object(Bucket=bucket, Key="k")
    told = (found["ETag"], found["ContentLength"], found["ContentType"], found["Metadata"])
    assert told == (etag, 10_000, "text/plain", {"who": "me"})
    assert server.s3.list_objects_v2(Bucket=bucket)["Contents"][0]["ETag"] == etag


def test_ranges_are_given(server: Served, bucket):
    put(server, bucket, "k", b"0123456789")
    ranges = {"bytes=2-4": b"234", "bytes=7-": b"789", "bytes=-2": b"89", "bytes=5-100": b"56789"}
    for span, data in ranges.items():
        found = server.s3.get_object(Bucket=bucket, Key="k", Range=span)
        assert (found["Body"].read(), found["ResponseMetadata"]["HTTPStatusCode"]) == (data, 206)
    assert code(server.s3.get_object, Bucket=bucket, Key="k", Range="bytes=10-") == "InvalidRange"


def test_lists_are_cut_into_pages_and_folders(server: Served, bucket):
    every = ["a", "b/1", "b/2", "b/c/3", "b0", "d"]
    for key in every:
        put(server, bucket, key)
    for verb in ("list_objects", "list_objects_v2"):
        pages = server.s3.get_paginator(verb).paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
        assert [one["Key"] for page in pages for one in page["Contents"]] == every
    top = server.s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [one["Key"] for one in top["Contents"]] == ["a", "b0", "d"]
    assert [one["Prefix"] for one in top["CommonPrefixes"]] == ["b/"]
    below = server.s3.list_objects_v2(Bucket=bucket, Prefix="b/", Delimiter="/")
    assert [one["Key"] for one in below["Contents"]] == ["b/1", "b/2"]
    assert server.keys(bucket, "b") == ["b/1", "b/2", "b/c/3", "b0"]
    assert [o["Key"] for o in server.s3.list_objects_v2(Bucket=bucket, StartAfter="b/2")["Contents"]] == every[3:]


def test_large_files_come_in_parts(server: Served, bucket):
    data = bytes(range(256)) * 50_000
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    server.s3.upload_fileobj(io.BytesIO(data), bucket, "large", Config=parts)
    assert server.read(f"s3://{bucket}/large") == data
    assert server.s3.head_object(Bucket=bucket, Key="large")["ETag"].endswith('-3"')
    upload = server.s3.create_multipart_upload(Bucket=bucket, Key="none")["UploadId"]
    server.s3.abort_multipart_upload(Bucket=bucket, Key="none", UploadId=upload)
    assert code(server.s3.list_parts, Bucket=bucket, Key="none", UploadId=upload) == "NoSuchUpload"


def test_objects_are_copied_and_deleted_together(server: Served, bucket):
    put(server, bucket, "one", b"1", Metadata={"a": "b"})
    server.s3.copy_object(Bucket=bucket, Key="two", CopySource={"Bucket": bucket, "Key": "one"})
    assert server.s3.head_object(Bucket=bucket, Key="two")["Metadata"] == {"a": "b"}
    given = {"Objects": [{"Key": "one"}, {"Key": "two"}, {"Key": "never"}]}
    assert len(server.s3.delete_objects(Bucket=bucket, Delete=given)["Deleted"]) == 3
    assert server.keys(bucket) == []


def test_what_is_missing_is_said_as_s3_says_it(server: Served, bucket):
    assert code(server.s3.get_object, Bucket=bucket, Key="none") == "NoSuchKey"
    assert code(server.s3.head_object, Bucket=bucket, Key="none") == "404"
    assert code(server.s3.list_objects_v2, Bucket="no-such-bucket") == "NoSuchBucket"
    assert code(server.s3.put_bucket_policy, Bucket=bucket, Policy="{}") == "NotImplemented"


def test_an_object_is_written_only_if_it_is_not_there(server: Served, bucket):
    put(server, bucket, "k", IfNoneMatch="*")
    assert code(server.s3.put_object, Bucket=bucket, Key="k", Body=b"y", IfNoneMatch="*") == "PreconditionFailed"


def test_a_bucket_goes_only_when_it_is_empty(server: Served):
    put(server, server_bucket(server), "k")
    assert code(server.s3.delete_bucket, Bucket="brief-bucket") == "BucketNotEmpty"
    server.s3.delete_object(Bucket="brief-bucket", Key="k")
    server.s3.delete_bucket(Bucket="brief-bucket")
    assert code(server.s3.head_bucket, Bucket="brief-bucket") == "404"


def server_bucket(server: Served) -> str:
    server.s3.create_bucket(Bucket="brief-bucket")
    return "brief-bucket"


def test_chunked_bodies_are_put_together(server: Served, bucket):
    body = b"5;chunk-signature=ab\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    headers = {"Content-Encoding": "aws-chunked", "X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    assert httpx.put(f"{server.url}/{bucket}/k", content=body, headers=headers).status_code == 200
    assert server.read(f"s3://{bucket}/k") == b"hello world"


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=4), st.integers(1, 7))
def test_chunks_are_decoded_however_they_arrive(chunks, step):
    whole = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    decoder = ChunkDecoder()
    found = b"".join(decoder.feed(whole[at : at + step]) for at in range(0, len(whole), step))
    assert (found, decoder.whole) == (b"".join(chunks), True)


@given(st.text(min_size=1, max_size=30))
def test_a_keys_path_is_plain_and_leads_back_to_it(key):
    parts = encode_key(key)
    assert "/".join(map(decode_part, parts)) == key
    assert not any(part in ("", ".", "..") or part.startswith(".") or "/" in part or "\0" in part for part in parts)


def test_what_is_read_is_one_version_while_others_are_written(server: Served, bucket):
    """Each version is all of one letter; the letters have sizes of their own."""
    bodies = [bytes([65 + number]) * (1 + number * 40_000) for number in range(4)]
    put(server, bucket, "busy", bodies[0])
    ended = threading.Event()

    def write() -> None:
        for number in itertools.count():
            put(server, bucket, "busy", bodies[number % 4])
            if ended.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(60):
            found = server.s3.get_object(Bucket=bucket, Key="busy")
            assert found["Body"].read() in bodies
    finally:
        ended.set()
        writer.join()


def test_an_open_object_is_described_by_the_file_that_was_opened(tmp_path):
    tree = Tree(tmp_path)
    tree.create("k").close()
    stream, info = tree.open_described("k")
    with tree.create("k") as newer:
        newer.write(b"longer")
    with stream:
        assert (info.size, stream.read()) == (0, b"")
    assert tree.stat("k").size == 6
