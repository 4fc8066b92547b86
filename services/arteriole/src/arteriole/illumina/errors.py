"""What can be wrong with the files of a run."""

from arteriole.app.errors import ArterioleError


class RunDataError(ArterioleError):
    """A file of the run is not what its format asks for."""

    code = "run.data"
    status = 422


class RunInfoError(RunDataError):
    """RunInfo.xml is missing or not as expected."""

    code = "run.run_info"


class RunParametersError(RunDataError):
    """RunParameters.xml is not as expected."""

    code = "run.run_parameters"


class SampleSheetError(ArterioleError):
    """The sample sheet cannot be read; `line` and `column` count from 1, 0 means the whole file."""

    code = "sheet.invalid"
    status = 422

    def __init__(
        self, message: str, *, code: str, line: int = 0, column: int = 0, hint: str = ""
    ) -> None:
        where = f"line {line}" + (f", column {column}" if column else "") if line else ""
        super().__init__(f"{where}: {message}" if where else message, hint=hint, code=code)
        self.line = line
        self.column = column
