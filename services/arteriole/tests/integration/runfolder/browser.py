"""Chromium, driven; what a person does and sees."""

import shutil
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

#: Seconds; generous, since a busy machine is no failure.
DEADLINE = 60.0
#: What the console says of a service that is down, or of a refused token.
NETWORK = "network"


class Browser:
    def __init__(self):
        found = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
        if missing := [name for name, path in found.items() if path is None]:
            pytest.skip(f"not installed: {', '.join(missing)}")
        options = webdriver.ChromeOptions()
        options.binary_location = found["chromium"]
        for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu"):
            options.add_argument(f"--{argument}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.ChromeService(found["chromedriver"])
        self._driver = webdriver.Chrome(options=options, service=service)
        self._driver.set_script_timeout(DEADLINE)
        self._hastened = None
        self.resize(1400, 900)

    def close(self):
        self._driver.quit()

    def resize(self, width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def stay_in(self, zone):
        """Its time zone; "" is the machine's."""
        self._driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": zone})

    def open(self, url):
        """A new page, in which nothing of an earlier one is left."""
        self._driver.get("about:blank")
        self._driver.get(url)

    def hasten(self, factor):
        """In pages opened from now on regular looks come so much more often; 1: as ever."""
        if self._hastened is not None:
            forget = {"identifier": self._hastened}
            self._driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", forget)
        source = (
            "const regular = globalThis.setInterval;"
            f"globalThis.setInterval = (call, ms) => regular(call, ms / {factor});"
        )
        added = self._driver.execute_cdp_cmd(
            "Page.addScriptToEvaluateOnNewDocument", {"source": f"{{{source}}}"}
        )
        self._hastened = added["identifier"]

    def back(self):
        self._driver.back()

    def reload(self):
        self._driver.refresh()

    def script(self, text, *arguments):
        return self._driver.execute_script(text, *arguments)

    def promise(self, text, *arguments):
        """What the async function with this body comes to; a failure is raised."""
        wrapped = (
            "const done = arguments[arguments.length - 1];"
            f"(async (...given) => {{{text}}})(...arguments).then("
            "(value) => done({value}), (err) => done({error: String(err)}));"
        )
        found = self._driver.execute_async_script(wrapped, *arguments)
        assert "error" not in found, found
        return found["value"]

    def find(self, selector):
        return self._driver.find_element(By.CSS_SELECTOR, selector)

    def count(self, selector):
        return len(self._driver.find_elements(By.CSS_SELECTOR, selector))

    def text(self, selector):
        """What a person reads there; '' if there is no such thing."""
        try:
            return self.find(selector).text
        except (NoSuchElementException, StaleElementReferenceException):
            return ""

    def attribute(self, selector, name):
        """An attribute; '' if there is none, or it is just being drawn again."""
        try:
            return self.find(selector).get_attribute(name) or ""
        except (NoSuchElementException, StaleElementReferenceException):
            return ""

    def sees(self, text, selector="body"):
        """Wait until this text can be read there."""
        self.until(lambda: text in self.text(selector), f"{text!r} in {selector}")

    def until(self, condition, what=""):
        WebDriverWait(self._driver, DEADLINE, 0.03).until(lambda _: condition(), what)

    def click(self, selector):
        self.until(lambda: self._clicked(selector), f"a click on {selector}")

    def _clicked(self, selector):
        """False if it is just being drawn again."""
        try:
            self.find(selector).click()
        except (NoSuchElementException, StaleElementReferenceException):
            return False
        return True

    def enter(self, selector, text):
        field = self.find(selector)
        field.clear()
        field.send_keys(text)

    def press(self, *keys):
        """On what has the focus."""
        self._driver.switch_to.active_element.send_keys(*keys)

    @property
    def focused(self):
        return self._driver.switch_to.active_element

    @property
    def address(self):
        return self._driver.current_url.partition("#")[2]

    @property
    def title(self):
        return self._driver.title

    def complaints(self):
        """What the console has told since it was last asked, but for what the network did."""
        return [
            entry["message"]
            for entry in self._driver.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING") and entry["source"] != NETWORK
        ]

    def picture(self, path):
        """For those who want to look themselves."""
        self._driver.save_screenshot(str(Path(path)))


ENTER, TAB = Keys.ENTER, Keys.TAB
