import json

from competitive_mixtures.report.environment import describe_machine


def test_the_machines_metadata_is_plain_json(tmp_path):
    machine = describe_machine(tmp_path)
    assert json.loads(json.dumps(machine)) == machine
    assert machine["cores"] >= 1
    assert machine["commit"] == "unknown"
