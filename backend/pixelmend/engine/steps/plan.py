"""The step `plan`: the model is leased, and the tiles and the size of the result are planned."""

from dataclasses import replace

from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.steps.encode import output_spec
from pixelmend.engine.steps.work import PipelineLimits, Work
from pixelmend.imaging.alpha import bleed_colour


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
        model = self._cache.lease(options.model, denoise=options.denoise, sixteen_bit=decoded.bits == 16)
        work.resources.callback(self._cache.release, model)
        scale, budget_px = model.model.scale, self._limits.tile_px
        size = options.target.size_for(decoded.size, scale, self._limits.max_output_pixels)
        rules = model.tile_rules(model.affordable_tile_px(budget_px))
        work.model = model
        work.plan = rules.plan(decoded.size, budget_px, options.tile_px, options.margin_px)
        work.spec = output_spec(work, size, self._limits.input.formats)
