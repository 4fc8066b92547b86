"""Everything that one st2solo consists of, for those who need more than a part of it."""

from dataclasses import dataclass

from st2solo.alias_executions import AliasExecutions
from st2solo.aliases import Aliases
from st2solo.auth import ApiKeys, Tokens, Users
from st2solo.collector import Collector
from st2solo.config import Config
from st2solo.enforcements import Enforcements
from st2solo.executions import Executions
from st2solo.keys import Keys
from st2solo.metrics import Metrics
from st2solo.registry import Registry
from st2solo.resources import Resources
from st2solo.rules import RulesEngine
from st2solo.sensors import Sensors
from st2solo.store import Store
from st2solo.stream import Stream
from st2solo.timers import Timers
from st2solo.traces import Traces
from st2solo.triggers import Triggers


@dataclass(frozen=True)
class Services:
    config: Config
    store: Store
    users: Users
    tokens: Tokens
    api_keys: ApiKeys
    keys: Keys
    resources: Resources
    aliases: Aliases
    alias_executions: AliasExecutions
    triggers: Triggers
    traces: Traces
    registry: Registry
    executions: Executions
    enforcements: Enforcements
    rules: RulesEngine
    timers: Timers
    sensors: Sensors
    stream: Stream
    metrics: Metrics
    collector: Collector
