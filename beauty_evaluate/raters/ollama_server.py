"""A language model behind Ollama's official client, on this machine unless another is allowed by name."""

import os
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from beauty_evaluate.errors import ConfigError, WeightsError

ALLOWED = "BEAUTY_REMOTE_SERVER"  # the name of one other machine that may be shown photos
CLOUD = "ollama.com"  # where models run whose tag ends with `cloud`
PORT = 11434  # of Ollama
TRIES = 2  # of one question: a server that has just loaded a model may be late
MAX_TOKENS = 400  # of an answer
SCHEMA = {  # of the answer, which Ollama holds a model to
    "type": "object",
    "properties": {"rating": {"type": ["number", "null"]}, "confidence": {"type": ["number", "null"]}},
    "required": ["rating", "confidence"],
}


def host_of(address: str) -> str:
    """The machine of an address.

    Example:
        >>> host_of("http://127.0.0.1:11434"), host_of("localhost"), host_of("[::1]:11434")
        ('127.0.0.1', 'localhost', '::1')
    """
    return urlsplit(address if "://" in address else f"//{address}").hostname or ""


def whole_address(address: str) -> str:
    """An address with what was left out: `http` and Ollama's port.

    Example:
        >>> whole_address("localhost"), whole_address("http://127.0.0.1:8080")
        ('http://localhost:11434', 'http://127.0.0.1:8080')
    """
    whole = address if "://" in address else f"http://{address}"
    return whole if urlsplit(whole).port else f"{whole.rstrip('/')}:{PORT}"


def check_local(address: str, model: str) -> None:
    """See that no photo leaves this machine.

    Args:
        address: of the server.
        model: as the server names it. A model of Ollama's cloud is run elsewhere by a server on this machine.

    Raises:
        ConfigError: the machine is another, and the environment does not allow it by its name.

    Example:
        >>> check_local("http://192.0.2.7:11434", "llava:7b")
        Traceback (most recent call last):
        beauty_evaluate.errors.ConfigError: Photos would leave this machine for 192.0.2.7. Use a server and a model on this machine, or allow that one by name: BEAUTY_REMOTE_SERVER=192.0.2.7.
    """  # noqa: E501
    is_cloud = model.rpartition(":")[2].endswith("cloud")
    for host in [host_of(address), *([CLOUD] if is_cloud else [])]:
        if not _is_here(host) and os.environ.get(ALLOWED, "") != host:
            raise ConfigError(
                f"Photos would leave this machine for {host}. Use a server and a model on this machine, or allow that "
                f"one by name: {ALLOWED}={host}."
            )


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class OllamaServer:
    """One model of one server. Safe to use from any number of threads.

    Args:
        address: of the server.
        model: as `ollama list` names it.
        timeout: seconds that an answer may take.

    Raises:
        ConfigError: photos would leave this machine, or the package `ollama` is missing.

    Example:
        >>> OllamaServer("localhost:1", "llava:7b", timeout=1.0).digest()
        Traceback (most recent call last):
        beauty_evaluate.errors.WeightsError: No Ollama server answers at localhost:1 (ConnectionError). ...
    """

    def __init__(self, address: str, model: str, timeout: float) -> None:
        check_local(address, model)
        try:
            import httpx
            import ollama
        except ImportError as error:
            cure = 'pip install "beauty_evaluate[rivals]"'
            raise ConfigError(f"Language models need the package ollama: {cure}.") from error
        self.address, self.model = address, model
        self._late, self._refused, self._transport = httpx.TimeoutException, ollama.ResponseError, httpx.TransportError
        # neither a proxy of the environment nor a redirect may carry a photo elsewhere
        self._client = ollama.Client(whole_address(address), timeout=timeout, trust_env=False, follow_redirects=False)
        self._http = httpx.Client(base_url=whole_address(address), timeout=timeout, trust_env=False)

    def digest(self) -> str:
        """What tells versions of the model apart.

        Raises:
            WeightsError: there is no server, or it does not have the model.
            ConfigError: the model is run on another machine.
        """
        try:
            models = {one.model: one.digest or "" for one in self._client.list().models}
        except (ConnectionError, self._transport, self._refused) as error:
            raise self._missing_server(error) from error
        name = next((name for name in (self.model, f"{self.model}:latest") if name in models), None)
        if name is None:
            raise WeightsError(
                f"The server at {self.address} has no model {self.model}. Get it: ollama pull {self.model}. "
                f"It has {', '.join(str(model) for model in models) or 'none'}."
            )
        if remote := self._http.post("/api/show", json={"model": name}).json().get("remote_host"):
            check_local(str(remote), self.model)
        return models[name]

    def ask(self, question: str, picture: bytes, temperature: float, seed: int) -> str | None:
        """One answer.

        Args:
            question: with it goes the picture.
            picture: a PNG.
            temperature: 0 for the likeliest answer.
            seed: of the others.

        Returns:
            Its text; None where none came in time.

        Raises:
            WeightsError: there is no server, or it cannot answer.
        """
        message: dict[str, Any] = {"role": "user", "content": question, "images": [picture]}
        options = {"temperature": temperature, "seed": seed, "num_predict": MAX_TOKENS}
        for _ in range(TRIES):
            try:
                answer = self._client.chat(self.model, [message], format=SCHEMA, options=options)
                return answer.message.content or ""
            except self._late:
                continue
            except (ConnectionError, self._transport) as error:
                raise self._missing_server(error) from error
            except self._refused as error:
                raise WeightsError(f"{self.model} cannot answer: {error.error}. Does it look at pictures?") from error
        return None

    def _missing_server(self, error: Exception) -> WeightsError:
        return WeightsError(
            f"No Ollama server answers at {self.address} ({type(error).__name__}). Start it: ollama serve."
        )
