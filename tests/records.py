"""Checks records (mlpstorage_record.json) against the JSON Schema files in schemas/, for the tests that run the program: what a run
leaves is looked at when its folder is removed."""

import json
import pathlib

try:
    import jsonschema
except ImportError:  # golden.readers is skipped then, and says so
    jsonschema = None

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent / "schemas"
COMMON = "common.schema.json"


def load_schemas():
    """{name of the format: schema}, with what they share in each of them."""
    common = json.loads((SCHEMAS / COMMON).read_text(encoding="utf-8"))
    schemas = {}
    for path in sorted(SCHEMAS.glob("*.schema.json")):
        if path.name == COMMON:
            continue
        schema = json.loads(path.read_text(encoding="utf-8").replace(COMMON + "#", "#"))
        schema["$defs"] = {**common["$defs"], **schema["$defs"]}
        schemas[schema["properties"]["schema"]["enum"][0]] = schema
    return schemas


def problems_of(record):
    """What is wrong with a record, a line each."""
    schema = load_schemas().get(record.get("schema"))
    if schema is None:
        return [f"no schema for {record.get('schema')}"]
    validator = jsonschema.Draft202012Validator(schema)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in validator.iter_errors(record)]


def problems_below(folder):
    """The same for all records below a folder."""
    if jsonschema is None:
        return []
    return [f"{path}: {problem}" for path in sorted(pathlib.Path(folder).rglob("mlpstorage_record.json"))
            for problem in problems_of(json.loads(path.read_text(encoding="utf-8")))]
