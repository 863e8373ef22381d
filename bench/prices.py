"""Published prices of AWS that a lake is billed by, in dollars; us-east-1, without any free tier.

They change, and other regions differ by some per cent: look at each source before you rely on them.
"""

from __future__ import annotations

MILLION, GIB, MONTH_DAYS = 1_000_000, 1 << 30, 30.4

ATHENA_TB = 5.0
"""A terabyte scanned; each query counts as 10 MB at least. Source: https://aws.amazon.com/athena/pricing/"""

ATHENA_LEAST = 10 << 20

LAMBDA_GB_SECOND = 0.0000133334
"""On arm64. Source: https://aws.amazon.com/lambda/pricing/"""

LAMBDA_CALL = 0.20 / MILLION

S3_WRITE = 0.005 / 1_000
"""PUT, COPY, POST and LIST. Source: https://aws.amazon.com/s3/pricing/"""

S3_READ = 0.0004 / 1_000
S3_GB_MONTH = 0.023
S3_FREE = frozenset({"DeleteObject", "DeleteObjects", "AbortMultipartUpload"})
S3_WRITES = frozenset({
    "PutObject", "CopyObject", "ListObjectsV2", "CreateMultipartUpload", "UploadPart", "UploadPartCopy",
    "CompleteMultipartUpload",
})  # fmt: skip

GLUE_CALL = 1.0 / MILLION
"""Source: https://aws.amazon.com/glue/pricing/ (Data Catalog requests; the first million a month are free)"""

EVENT = 1.0 / MILLION
"""Source: https://aws.amazon.com/eventbridge/pricing/ (opt-in events of AWS services)"""

API_CALL = 3.50 / MILLION
"""Source: https://aws.amazon.com/api-gateway/pricing/ (REST APIs)"""

LOG_GB = 0.50
"""Source: https://aws.amazon.com/cloudwatch/pricing/"""
