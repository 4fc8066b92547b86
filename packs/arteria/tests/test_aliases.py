"""What a person types in a chat, and what the action gets of it."""

from st2tests.base import BaseActionAliasTestCase

RUN = "200624_A00834_0183_BHMTFYDRXX"


class AliasTestCase(BaseActionAliasTestCase):
    __test__ = False

    def assert_understood(self, command, parameters):
        """By the alias's last format, and by no other."""
        formats = self.action_alias_db.get_format_strings()
        self.assertCommandMatchesExactlyOneFormatString(formats, command)
        self.assertExtractedParametersMatch(formats[-1], command, parameters)


class HoldTestCase(AliasTestCase):
    __test__ = True
    action_alias_name = "seq_hold"

    def test_a_reason_of_several_words(self):
        command = "seq hold %s the wrong sheet" % (RUN,)
        self.assert_understood(command, {"run": RUN, "reason": "the wrong sheet"})


class RedoTestCase(AliasTestCase):
    __test__ = True
    action_alias_name = "seq_redo"

    def test_from_a_stage_on(self):
        command = "seq redo %s from convert" % (RUN,)
        self.assert_understood(command, {"run": RUN, "from_stage": "convert"})


class RestoreTestCase(AliasTestCase):
    __test__ = True
    action_alias_name = "seq_restore"

    def test_some_of_an_attempt(self):
        command = "seq restore %s attempt=2 sample=S1" % (RUN,)
        self.assert_understood(command, {"run": RUN, "attempt": "2", "sample": "S1"})


class RunsTestCase(AliasTestCase):
    __test__ = True
    action_alias_name = "seq_runs"

    def test_those_in_a_state(self):
        self.assert_understood("seq runs held", {"state": "held"})
