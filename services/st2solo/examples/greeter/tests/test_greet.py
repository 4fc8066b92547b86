import yaml
from greet import Greet
from st2tests.base import BaseActionTestCase


class GreetTestCase(BaseActionTestCase):
    action_cls = Greet

    def setUp(self):
        super().setUp()
        self.config = yaml.safe_load(self.get_fixture_content("config.yaml"))

    def test_it_greets_and_counts(self):
        action = self.get_action_instance(self.config)
        self.assertEqual(action.run(name="Ann"), {"text": "Good morning, Ann", "times": 1})
        self.assertEqual(action.run(name="Ann")["times"], 2)
        self.assertEqual(self.action_service.get_value("tests.Greet:Ann", local=False), 2)

    def test_it_needs_a_greeting(self):
        with self.assertRaises(ValueError):
            self.get_action_instance({}).run(name="Ann")
