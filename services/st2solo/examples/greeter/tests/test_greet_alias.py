from st2tests.base import BaseActionAliasTestCase


class GreetAliasTestCase(BaseActionAliasTestCase):
    action_alias_name = "greet"

    def test_names_of_one_and_of_several_words(self):
        formats = self.action_alias_db.get_format_strings()
        for format_string, command, name in [
            (formats[0], "greet Ann", "Ann"),
            (formats[0], "greet", "stranger"),
            (formats[1], "say hello to 'Ann Lee'", "Ann Lee"),
            (formats[2], "say hi to Ann", "Ann"),
        ]:
            self.assertCommandMatchesExactlyOneFormatString(formats, command)
            self.assertExtractedParametersMatch(format_string, command, {"name": name})
