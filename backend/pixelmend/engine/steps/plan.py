"""The step `plan`: the model is leased, and the tiles and the size of the result are planned."""

from dataclasses import replace

from pixelmend.core.geometry import Size
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.open_models import OpenModel
from pixelmend.engine.steps.encode import output_spec
from pixelmend.engine.steps.work import PipelineLimits, Work
from pixelmend.imaging.alpha import bleed_colour
from pixelmend.imaging.tiling import TilePlan


def lease_model(work: Work, cache: ModelCache, *, sixteen_bit: bool) -> OpenModel:
    """The model that the task's options name, for as long as the task lasts."""
    options = work.task.options.upscale
    assert options is not None, "a task with this step has options for it"
    model = cache.lease(
        options.model,
        dials=options.dials,
        sixteen_bit=sixteen_bit,
        on_cpu_because=work.task.on_cpu_because,
    )
    work.resources.callback(cache.release, model)
    work.model = model
    return model


def plan_tiles_of(work: Work, model: OpenModel, size: Size, tile_px: int) -> TilePlan:
    """The tiles of a picture of that size. tile_px: the longest edge. Raises InvalidParameter."""
    options = work.task.options.upscale
    assert options is not None, "a task with this step has options for it"
    rules = model.tile_rules(model.affordable_tile_px(tile_px))
    work.plan = rules.plan(size, tile_px, options.tile_px, options.margin_px)
    return work.plan


class PlanStep:
    def __init__(self, cache: ModelCache, limits: PipelineLimits) -> None:
        self._cache = cache
        self._limits = limits

    def __call__(self, work: Work) -> None:
        options = work.task.options.upscale
        assert options is not None, "a task with this step has options for it"
        decoded = work.decoded
        part = options.target.part_of(decoded.size)
        if part.size != decoded.size:
            decoded = replace(decoded, pixels=decoded.pixels[part.as_slices()].copy())
        if decoded.has_alpha:
            decoded = replace(decoded, pixels=bleed_colour(decoded.pixels))
        work.image = decoded
        model = lease_model(work, self._cache, sixteen_bit=decoded.bits == 16)
        limits = self._limits
        size = options.target.size_for(decoded.size, model.model.scale, limits.max_output_pixels)
        plan_tiles_of(work, model, decoded.size, limits.tile_px)
        work.spec = output_spec(work, size, limits.input.formats)
