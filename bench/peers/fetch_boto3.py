"""A model fetched from S3 by boto3 at a cold start, then the reference."""

import json
import os

import boto3
import numpy as np
import onnxruntime
from botocore.config import Config

CLIENT = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
BUCKET, KEY = os.environ["MODEL_PATH"].lstrip("/").split("/", 1)
SESSION = onnxruntime.InferenceSession(CLIENT.get_object(Bucket=BUCKET, Key=KEY)["Body"].read())
NAME = SESSION.get_inputs()[0].name


def handle(event, context):
    rows = json.loads(event["body"])["instances"]
    label, probabilities = SESSION.run(None, {NAME: np.array(rows, dtype=np.float32)})
    body = {"label": label.tolist(), "probabilities": probabilities.tolist()}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
