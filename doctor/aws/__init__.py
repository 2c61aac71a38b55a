"""The questions to an AWS account."""

from __future__ import annotations

from doctor.aws.account import Account, connect
from doctor.aws.checks import CHECKS
from doctor.check import Doctor

DOCTOR: Doctor[Account] = Doctor(title="AWS", connect=connect, checks=CHECKS)
