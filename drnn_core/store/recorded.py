"""The images of a run's records: what else is measured of the run has to be of the same.

A run without records says of no images that they are its own, so any of its classes will do.
"""

from __future__ import annotations

from pathlib import Path

from drnn_core.data.sets import ImageSet
from drnn_core.store.manifest import RecordsError, RecordsHeader, read_manifest
from drnn_core.store.records import has_records


def check_recorded(run_folder: Path, images: ImageSet) -> RecordsHeader | None:
    """Refuse images other than those of a run's records.

    Args:
        run_folder: of the run.
        images: what is about to be measured, whole.

    Returns:
        What the records are of; None of a run without records.

    Raises:
        RecordsError: the records are of other images, or too damaged to say of which.
    """
    if not has_records(run_folder):
        return None
    try:
        header = read_manifest(run_folder).header
    except RecordsError as error:
        raise RecordsError(f"the images of the run's records are not known: {error}") from error
    check_images(run_folder, header, images)
    return header


def check_weights(run_folder: Path, header: RecordsHeader, weights_sha256: str) -> None:
    """Refuse records of other weights than the run's.

    Raises:
        RecordsError: they are.
    """
    if header.weights_sha256 != weights_sha256:
        raise RecordsError(
            f"the records of {run_folder} are of other weights than the run's; delete them and "
            f"write them anew with: drnn records {run_folder} --data ..."
        )


def check_images(run_folder: Path, header: RecordsHeader, images: ImageSet) -> None:
    """Refuse images other than those of records.

    Raises:
        RecordsError: they are others.
    """
    if header.data_fingerprint != images.fingerprint:
        raise RecordsError(
            f"the records of {run_folder} are of other images ({header.dataset}, "
            f"{header.rows:,}) than {images.name} ({len(images):,}); pass the data set that was "
            "recorded"
        )


def recorded_otherwise(run_folder: Path, dataset: str, data_fingerprint: str) -> str | None:
    """How what was measured of a run contradicts its records, if they are of other images.

    Args:
        run_folder: of the run.
        dataset, data_fingerprint: of the images that were measured.

    Returns:
        The end of a sentence on what was measured; None where nothing contradicts.
    """
    if not has_records(run_folder):
        return None
    try:
        header = read_manifest(run_folder).header
    except RecordsError:
        return None  # said of the records
    if header.data_fingerprint == data_fingerprint:
        return None
    return (
        f"is of other images ({dataset}) than the records ({header.dataset}, {header.rows:,}); "
        "write it anew"
    )
