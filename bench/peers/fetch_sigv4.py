"""The least that fetches a model from S3 at a cold start: http.client, a SigV4 signature, then the reference."""

import datetime
import hashlib
import hmac
import http.client
import json
import os
import ssl
from urllib.parse import urlsplit

import numpy as np
import onnxruntime

URL = urlsplit(os.environ["AWS_ENDPOINT_URL"])


def _signed(path):
    now = datetime.datetime.now(datetime.UTC)
    stamp, day, region = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d"), os.environ["AWS_REGION"]
    empty = hashlib.sha256(b"").hexdigest()
    headers = {"host": URL.netloc, "x-amz-content-sha256": empty, "x-amz-date": stamp}
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = hashlib.sha256(f"GET\n{path}\n\n{lines}\n{names}\n{empty}".encode()).hexdigest()
    scope = f"{day}/{region}/s3/aws4_request"
    key = f"AWS4{os.environ['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{request}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return headers


def _fetch(path):
    if URL.scheme == "https":
        context = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
        connection = http.client.HTTPSConnection(URL.netloc, context=context)
    else:
        connection = http.client.HTTPConnection(URL.netloc)
    connection.request("GET", path, headers=_signed(path))
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise OSError(f"{response.status}: {body[:200]}")
    return body


SESSION = onnxruntime.InferenceSession(_fetch(os.environ["MODEL_PATH"]))
NAME = SESSION.get_inputs()[0].name


def handle(event, context):
    rows = json.loads(event["body"])["instances"]
    label, probabilities = SESSION.run(None, {NAME: np.array(rows, dtype=np.float32)})
    body = {"label": label.tolist(), "probabilities": probabilities.tolist()}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
