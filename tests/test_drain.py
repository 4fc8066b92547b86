"""Many clients drain the ready runs over HTTP: none gets what another has, none is left over."""

from tests.drain import Drain, handed_out, write
from tests.landing import Landing


def test_sixteen_clients_drain_300_runs_and_four_die_with_one(tmp_path):
    landing = Landing(tmp_path, readiness="marker")
    paths = write(landing.directory, 300)
    landing.start()
    try:
        landing.get("runfolders")  # as Arteria does, it looks at its folders first
        drain = Drain(landing.url, paths, clients=16, deaths=4, lease=3.0)
        drain.run()
        assert set(drain.done.values()) == {1}
        assert len(set(drain.abandoned)) == 4
        picked_up, expired = handed_out(landing)
        assert {path.rpartition("/")[2] for path in drain.abandoned} <= set(expired)
        assert all(count == 1 + expired[run] for run, count in picked_up.items())
        assert landing.get("runfolders")["runfolders"] == []
        done = landing.get("runfolders?state=done&limit=100")
        assert len(done["runfolders"]) == 100 and done["before"] is not None
    finally:
        landing.kill()
