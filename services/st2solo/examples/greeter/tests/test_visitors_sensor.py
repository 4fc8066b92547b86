import tempfile
from pathlib import Path

from st2tests.base import BaseSensorTestCase
from visitors_sensor import VisitorsSensor


class VisitorsSensorTestCase(BaseSensorTestCase):
    sensor_cls = VisitorsSensor

    def test_each_line_is_told_once(self):
        with tempfile.TemporaryDirectory() as folder:
            book = Path(folder) / "book"
            sensor = self.get_sensor_instance({"book": str(book)}, poll_interval=60)
            sensor.setup()
            book.write_text("Ann\nBo\n")
            sensor.poll()
            sensor.poll()
        self.assertEqual(len(self.get_dispatched_triggers()), 2)
        self.assertTriggerDispatched("greeter.arrived", {"name": "Ann"})
        last = self.get_last_dispatched_trigger()
        self.assertEqual(last["payload"], {"name": "Bo"})
        self.assertEqual(last["trace_context"].trace_tag, "Bo")
        sensor._logger.info.assert_called_with("%s has arrived", "Bo")
