"""Software Carbon Intensity, ISO/IEC 21031:2024: (E * I + M) per R, with the data centre's overhead in E.

The text is public: https://github.com/Green-Software-Foundation/sci/blob/main/SPEC.md (1.1.0 of 2024-09-15). Energy is
what reserved hardware takes, used or not; I is location-based; nothing is offset. Units: kWh, grams of CO2e, hours.
"""

from __future__ import annotations

from infra.estimate.interval import Interval


def processor_kwh(watts: Interval, vcpu_hours: float) -> Interval:
    """Return the energy of processors that take so many watts a vCPU."""
    return watts * (vcpu_hours / 1000)


def watts_at(idle: Interval, full: Interval, utilization: Interval) -> Interval:
    """Return the watts of a vCPU at a share of full work, 0 to 1: linear between idle and full."""
    return Interval(
        *(
            lowest + share * (most - lowest)
            for lowest, most, share in (
                (idle.low, full.low, utilization.low),
                (idle.central, full.central, utilization.central),
                (idle.high, full.high, utilization.high),
            )
        )
    )


def memory_kwh(kwh_per_gb_hour: Interval, gb_hours: float) -> Interval:
    """Return the energy of memory."""
    return kwh_per_gb_hour * gb_hours


def storage_kwh(wh_per_tb_hour: Interval, copies: Interval, tb_hours: float) -> Interval:
    """Return the energy of disks that keep `copies` of everything."""
    return wh_per_tb_hour * copies * (tb_hours / 1000)


def in_the_data_centre(kwh: Interval, pue: Interval) -> Interval:
    """Return energy with what cooling and power supply take besides."""
    return kwh * pue


def operational_grams(kwh: Interval, grams_per_kwh: Interval) -> Interval:
    """Return O: the emissions of energy."""
    return kwh * grams_per_kwh


def embodied_grams(kilograms: Interval, life_hours: Interval, hours: float, share: float) -> Interval:
    """Return M: the part of making a machine that falls to `hours` of `share` of it.

    The low of a machine belongs to the low of this, so its life is stated in that order, too: longest first.
    """
    scale = hours * share * 1000
    return Interval(
        kilograms.low / life_hours.low * scale,
        kilograms.central / life_hours.central * scale,
        kilograms.high / life_hours.high * scale,
    )


def score(operational: Interval, embodied: Interval, functional_units: float) -> Interval:
    """Return SCI: grams for one functional unit."""
    return (operational + embodied) * (1 / functional_units)
