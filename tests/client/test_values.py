"""The client's values have the fields of the service's answers, as the service describes them."""

from typing import Any

import pytest
from pydantic import BaseModel

from pixelmend.api import schemas
from pixelmend.client import values

PAIRS: list[tuple[type[BaseModel], type[BaseModel]]] = [
    (values.Problem, schemas.Problem),
    (values.Progress, schemas.JobProgress),
    (values.JobResult, schemas.JobResult),
    (values.Item, schemas.ItemView),
    (values.Delivery, schemas.DeliveryView),
    (values.Job, schemas.JobView),
    (values.Device, schemas.DeviceInfo),
    (values.Task, schemas.TaskInfo),
    (values.Recipe, schemas.RecipeInfo),
    (values.Info, schemas.Info),
    (values.Model, schemas.ModelInfo),
    (values.Size, schemas.EstimatedSize),
    (values.Seconds, schemas.EstimatedSeconds),
    (values.Estimate, schemas.EstimateView),
]


def shapes(model: type[BaseModel]) -> dict[str, object]:
    """What JSON each field has: its type, or a kind of object, and whether it may be null."""
    whole = model.model_json_schema(mode="serialization")

    def shape(schema: dict[str, Any]) -> object:
        if "$ref" in schema:
            schema = whole["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        if "anyOf" in schema:
            return tuple(sorted(str(shape(each)) for each in schema["anyOf"]))
        return schema["type"], shape(schema["items"]) if "items" in schema else None

    return {name: shape(field) for name, field in whole["properties"].items()}


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda model: model.__name__)
def test_fields_are_those_of_the_service(ours: type[BaseModel], theirs: type[BaseModel]) -> None:
    described = shapes(theirs)
    assert {name: described.get(name) for name in shapes(ours)} == shapes(ours)


def test_every_value_has_a_counterpart() -> None:
    mine = {
        each
        for each in vars(values).values()
        if isinstance(each, type)
        and issubclass(each, BaseModel)
        and each.__module__ == values.__name__
        and not each.__name__.startswith("_")
    }
    assert mine == {ours for ours, _ in PAIRS}


def test_fields_of_a_later_service_are_passed_over_and_those_of_an_earlier_one_have_defaults() -> None:
    sent = {"name": "upscale", "summary": "", "takes_mask": False, "colour": "blue"}
    assert values.Task.model_validate(sent) == values.Task(name="upscale", summary="", takes_mask=False)
