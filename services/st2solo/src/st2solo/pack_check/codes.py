"""The codes of what a check finds; docs/pack-check.md has this table for people."""

from dataclasses import dataclass

from st2solo.findings import BAD, WARNING


@dataclass(frozen=True)
class Code:
    """`grade` is BAD or WARNING; `hint` says what to do about it."""

    name: str
    wrong: str
    hint: str
    grade: str = BAD


_ALL = (
    Code(
        "file.unreadable",
        "A file cannot be read, is no YAML, or is no mapping.",
        "correct the file at this place",
    ),
    Code(
        "file.repeated_key",
        "A key stands twice in a mapping; only the last one counts.",
        "remove one of the two",
    ),
    Code(
        "file.ignored",
        "A file that ends with `.json` describes something; StackStorm and st2solo pass over it,"
        " and read `.yaml` and `.yml`.",
        "let its name end with .yaml, which may hold JSON",
        WARNING,
    ),
    Code("field.missing", "A key that has to be there is missing.", "add the key"),
    Code(
        "field.unknown",
        "A key is not known; StackStorm refuses the file.",
        "remove the key, or correct its spelling",
    ),
    Code(
        "field.ignored",
        "A key is not known, and StackStorm passes over it: in a sensor, a trigger type, an alias's"
        " ack and result, a later task of a chain, in an output schema, or within a parameter's"
        " items and properties.",
        "remove the key, or correct its spelling",
        WARNING,
    ),
    Code("field.type", "A value has another type than its key takes.", "write the expected type"),
    Code("field.value", "A value is not one of those that its key takes.", "correct the value"),
    Code(
        "field.name",
        "A name of a parameter has other characters than letters, digits and underscores.",
        "replace a dash or a dot by an underscore",
    ),
    Code(
        "field.pack",
        "`pack` is another pack than the one in whose folder the file lies.",
        "leave `pack` out, or name this pack",
    ),
    Code(
        "name.twice",
        "Two files of a pack describe something of the same name; the last one counts.",
        "rename one of them",
    ),
    Code("pack.twice", "Two of the packs have the same ref.", "give one of them"),
    Code("runner.unknown", "There is no such runner.", "name a runner that there is"),
    Code(
        "runner.elsewhere",
        "StackStorm has the runner, st2solo has not.",
        "use it only where StackStorm runs the pack",
        WARNING,
    ),
    Code(
        "entry_point.missing",
        "The runner needs an entry point, and none is named.",
        "add entry_point, relative to the folder of the file",
    ),
    Code(
        "entry_point.outside",
        "The entry point lies outside of the folder in which it has to be.",
        "move the file into the pack's folder",
    ),
    Code(
        "entry_point.not_there",
        "The entry point is no file.",
        "correct the path, or add the file",
    ),
    Code(
        "python.syntax",
        "Python cannot read the code.",
        "correct the code at this place",
    ),
    Code(
        "python.no_class",
        "The code has no class that could be run: none of the sensor's class_name, or none with"
        " the method `run`.",
        "correct the name, or write the class",
    ),
    Code(
        "python.import",
        "The code imports a module of StackStorm's own, or st2client, that st2solo does not have;"
        " what is imported within `try` is not looked at.",
        "add st2client to requirements.txt; do without another module, or use the code only where"
        " StackStorm runs it",
        WARNING,
    ),
    Code(
        "parameter.override",
        "A parameter changes what the runner's parameter of its name does not let change.",
        "leave that attribute out, or rename the parameter",
    ),
    Code(
        "parameter.immutable",
        "A parameter has `immutable`, true or false, and no default; if true it could never have a"
        " value.",
        "give it a default",
    ),
    Code(
        "parameter.position",
        "Positions are given twice, or with a gap.",
        "number them 0, 1, 2 ...",
    ),
    Code(
        "parameter.default",
        "A default does not fit the type or the enum; each run without a value fails.",
        "correct the default",
    ),
    Code(
        "parameter.unknown",
        "A parameter is given that the action does not have.",
        "correct its name, or declare it in the action",
    ),
    Code(
        "parameter.missing",
        "A parameter is not given without which the action does not run.",
        "give it a value",
    ),
    Code(
        "parameter.value",
        "A value that is given does not fit the parameter.",
        "write a value of that type",
    ),
    Code(
        "parameter.fixed",
        "A value is given for an immutable parameter.",
        "leave it out",
    ),
    Code(
        "action.unknown",
        "The pack has no such action.",
        "correct the ref, or add the action",
    ),
    Code(
        "action.unknown_pack",
        "The action belongs to a pack that was not given, so it was not looked at.",
        "give the folder of that pack, too",
        WARNING,
    ),
    Code(
        "action.elsewhere",
        "StackStorm's pack core, chatops or packs has the action, st2solo's has not.",
        "use another action; st2solo takes StackStorm's packs core and chatops, too",
        WARNING,
    ),
    Code(
        "action.disabled",
        "A rule is enabled for an action that is not; it fails until somebody enables the action.",
        "enable the action, or disable the rule",
        WARNING,
    ),
    Code(
        "config.unknown",
        "A default uses a key that config.schema.yaml does not have.",
        "correct the key, or add it to config.schema.yaml",
        WARNING,
    ),
    Code(
        "trigger.unknown",
        "The pack has no such trigger type.",
        "correct the ref, or add the trigger type",
    ),
    Code(
        "trigger.unknown_pack",
        "The trigger type belongs to a pack that was not given.",
        "give the folder of that pack, too",
        WARNING,
    ),
    Code(
        "trigger.elsewhere",
        "StackStorm has the trigger type, st2solo never fires it.",
        "use it only where StackStorm runs the pack",
        WARNING,
    ),
    Code(
        "trigger.parameters",
        "The parameters do not fit the trigger type.",
        "correct them",
    ),
    Code(
        "trigger.payload",
        "The trigger type's payload has no such field, and allows no others.",
        "correct the name, or add the field to payload_schema",
    ),
    Code(
        "criteria.operator",
        "A criterion has no operator, an unknown one, or no pattern.",
        "name an operator and a pattern",
    ),
    Code(
        "criteria.key",
        "The key of a criterion is no JSONPath.",
        "write a path such as trigger.body.name",
    ),
    Code(
        "criteria.pattern",
        "The pattern of a regex operator is no regular expression.",
        "correct the pattern",
    ),
    Code(
        "template.syntax",
        "A template (Jinja or YAQL) cannot be read; in parameters it would count as plain text.",
        "correct the template",
    ),
    Code(
        "template.name",
        "A template uses a name that is not known where it is evaluated.",
        "correct the name",
    ),
    Code(
        "workflow.syntax",
        "The file is no Orquesta workflow.",
        "correct the workflow at this place",
    ),
    Code(
        "workflow.unknown_task",
        "`do` names a task that the workflow does not have.",
        "correct the name, or add the task",
    ),
    Code(
        "workflow.no_start",
        "No task could be the first one: another task leads to each.",
        "add a task to which none leads",
    ),
    Code(
        "workflow.unreachable",
        "No task that is begun leads to this one, or its join can never be complete.",
        "lead to it from another task, or remove it",
    ),
    Code(
        "workflow.variable",
        "A variable is used that nothing before has set; the workflow is refused when it starts.",
        "set it in input, vars or publish",
    ),
    Code(
        "workflow.inline",
        "Orquesta drops a part of what is written behind the action or in `publish`.",
        "use a mapping: `input:`, or a list below `publish:`",
    ),
    Code(
        "workflow.input",
        "The workflow has an input that is no parameter of its action: it is never given.",
        "declare the parameter, or move the input to vars",
        WARNING,
    ),
    Code(
        "chain.unknown_task",
        "`on-success`, `on-failure` or `default` names a task that the chain does not have.",
        "correct the name, or add the task",
    ),
    Code(
        "chain.same_task",
        "Two tasks of a chain have the same name; the later one is never run.",
        "rename one of them",
    ),
    Code(
        "chain.unreachable",
        "No task that is begun leads to this one, so it is never run.",
        "lead to it from another task, or remove it",
        WARNING,
    ),
    Code(
        "chain.parameters",
        "A task has both `params` and `parameters`; the chain is refused when it starts.",
        "put all into `parameters`",
    ),
    Code(
        "sensor.poll_interval",
        "StackStorm does not register a sensor that polls more often than each 4 seconds.",
        "raise poll_interval to 4",
    ),
    Code("alias.format", "A format is no regular expression.", "correct the format"),
    Code("policy.type", "There is no such type of policy.", "name a type that there is"),
    Code(
        "policy.parameters",
        "The parameters do not fit the type of policy.",
        "correct them",
    ),
    Code(
        "requirements.line",
        "A line of requirements.txt is nothing that pip takes.",
        "write a name with versions, such as requests>=2.25,<3",
    ),
)

CODES = {code.name: code for code in _ALL}
