"""The questions to a Google Cloud project."""

from __future__ import annotations

from doctor.check import Doctor
from doctor.gcp.checks import CHECKS
from doctor.gcp.project import Project, connect

DOCTOR: Doctor[Project] = Doctor(title="GCP", connect=connect, checks=CHECKS)
