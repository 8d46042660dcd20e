"""What can be refused of a film before its first frame is computed, and what is known of it then."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pixelmend.core.geometry import Size
from pixelmend.jobs.admission import Admission
from pixelmend.tasks.image import ImageTask
from pixelmend.tasks.options import ImageOptions
from pixelmend.tasks.upscale_video import VideoOptions, expected_bytes, resolved
from pixelmend.video.probe import VideoProber


@dataclass(frozen=True, slots=True)
class AdmittedFilm:
    """size: of the result's frames, as they are shown. frames: of the part that is asked for."""

    admission: Admission
    size: Size
    frames: int

    @property
    def pixels(self) -> int:
        """The pixels of the result, all frames together."""
        return self.size.pixels * self.frames

    @property
    def peak_bytes(self) -> int:
        """About what it takes on the disk: when it ends, segments and the result lie there together."""
        return 2 * expected_bytes(self.admission.options, self.size, self.frames)

    def task(self, job_id: str, source: Path, result: Path, parts: Path) -> ImageTask:
        """parts: the folder for what is finished."""
        admission = self.admission
        return ImageTask(job_id, source, result, admission.options, admission.steps, parts_path=parts)


def admit_film(
    path: Path,
    options: ImageOptions,
    prober: VideoProber,
    admission_of: Callable[[ImageOptions], Admission],
) -> AdmittedFilm:
    """options: some choices may be left to the film. Raises what the film or the options are refused for."""
    video = VideoOptions.of(options)
    header = prober.probe(path, video.start_s, video.seconds)
    admission = admission_of(resolved(options, header))
    return AdmittedFilm(admission, admission.film_size_for(header), header.frames)
