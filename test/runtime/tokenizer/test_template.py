"""Chat templates: the same text as transformers, and no harm from a hostile one."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.loading.stub import CHAT_TEMPLATE
from lad_runtime.torch_backend.tokenizer.template import ChatTemplate, TemplateLimits
from lad_runtime.types.data import Message

RUNTIME = str(Path(__file__).parents[3] / "runtime")

CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

HEADERS_AND_DATE = """{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- set found = namespace(system="") %}
{%- for message in messages if message.role == 'system' %}
    {%- set found.system = message['content'] | trim %}
{%- endfor %}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' }}
{{- 'Today Date: ' + date_string + '\\n\\n' + found.system + '<|eot_id|>' }}
{%- for message in messages %}
    {%- if message.role == 'system' %}{% continue %}{% endif %}
    {%- if not (message.role == 'user' or message.role == 'assistant') %}
        {{- raise_exception('Unknown role') }}
    {%- endif %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

INSTRUCTION_TAGS = """{{ bos_token }}{% for message in messages %}
{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{- raise_exception('Roles must alternate: user, assistant, user, …') }}
{%- endif %}
{%- if message['role'] == 'user' -%}
[INST] {{ message['content'] }} [/INST]
{%- else -%}
{% generation %} {{ message['content'] }}{{ eos_token }}{% endgeneration %}
{%- endif %}
{%- endfor %}"""

AS_JSON = (
    "{% for m in messages %}{{ m | tojson }}{{ m.content | tojson(indent=2) }}{% endfor %}{{ tools is none }}"
)

TEMPLATES = {
    "chatml": CHATML,
    "headers and date": HEADERS_AND_DATE,
    "instruction tags": INSTRUCTION_TAGS,
    "json": AS_JSON,
    "stub": CHAT_TEMPLATE,
}

CONVERSATIONS = {
    "a question": [("user", "What is 2 + 2?")],
    "two turns": [
        ("user", " Hi <b>&amp;</b> "),
        ("assistant", "Hello, 'you'."),
        ("user", "Ünïcödé 🦙\n\n{{ 7 * 7 }}"),
    ],
    "a finished turn": [("user", "Say yes."), ("assistant", "yes")],
}
SPECIALS = {"bos_token": "<s>", "eos_token": "</s>"}


def messages_of(pairs: list[tuple[str, str]]) -> list[Message]:
    return [Message(role=role, content=content) for role, content in pairs]


@pytest.mark.parametrize("conversation", CONVERSATIONS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_text_equals_that_of_transformers(name: str, conversation: str) -> None:
    oracle = pytest.importorskip("transformers.utils.chat_template_utils")
    template = ChatTemplate(TEMPLATES[name], variables=SPECIALS)
    pairs = CONVERSATIONS[conversation]
    for add_generation_prompt in (True, False):
        expected, _ = oracle.render_jinja_template(
            conversations=[[{"role": role, "content": content} for role, content in pairs]],
            chat_template=TEMPLATES[name],
            add_generation_prompt=add_generation_prompt,
            date_string="26 Jul 2024",
            **SPECIALS,
        )
        assert template.render(messages_of(pairs), add_generation_prompt) == expected[0]
    template.close()


def test_the_date_is_fixed() -> None:
    template = ChatTemplate("{{ strftime_now('%Y-%m-%d %H:%M') }}")
    assert template.render([], False) == "2024-07-26 00:00"


def test_messages_that_the_template_refuses_are_a_data_error_with_its_words() -> None:
    template = ChatTemplate(INSTRUCTION_TAGS, variables=SPECIALS)
    with pytest.raises(LadError, match="Roles must alternate") as caught:
        template.render(messages_of([("assistant", "first!")]), False)
    assert caught.value.code is ErrorCode.INVALID_DATA
    assert template.render(messages_of([("user", "q")]), False) == "<s>[INST] q [/INST]"


def test_a_template_that_does_not_compile_is_refused_when_it_is_made() -> None:
    with pytest.raises(LadError, match="not a valid Jinja template") as caught:
        ChatTemplate("{% for %}")
    assert caught.value.code is ErrorCode.INVALID_FILE
    with pytest.raises(LadError, match="chatTemplate is") as caught:
        ChatTemplate("{% for %}", given=True)
    assert caught.value.code is ErrorCode.INVALID_OPTION
    assert caught.value.option == "chatTemplate"


HOSTILE = {
    "endless loops": (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}",
        "needs more than 0.3 s",
    ),
    "a number too large": ("{{ 9 ** (9 ** 9) }}", "needs more than 0.3 s"),
    "a huge string": ("{{ 'a' * 4000000000 }}", "of memory"),
    "huge output in pieces": (
        "{% for a in range(99999) %}{{ 'abcdefghij' * 100 }}{% endfor %}",
        "renders more than",
    ),
    "endless recursion": (
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "fails on these messages|made its process end",
    ),
    "attributes of the interpreter": ("{{ ''.__class__ }}", "must not touch"),
    "a way to the globals": ("{{ raise_exception.__globals__ }}", "must not touch"),
    "a way through a string's format": ("{{ '{0.__class__.__mro__}'.format(1) }}", "must not touch"),
    "a way through a filter": ("{{ messages | map(attribute='__class__') | list }}", "must not touch"),
    "a change of the messages": ("{{ messages.append(1) }}", "must not touch"),
    "an underscore name": ("{% set n = namespace(__class__=1) %}", "must not touch"),
    "an import": ("{% import 'os' as os %}", "fails on these messages"),
    "an unknown function": ("{{ open('/etc/passwd') }}", "fails on these messages"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_refused_and_the_next_one_still_renders(name: str) -> None:
    source, problem = HOSTILE[name]
    limits = TemplateLimits(cpu_seconds=0.3, characters=1 << 20)
    conversation = messages_of([("user", "hello")])
    with pytest.raises(LadError, match=problem) as caught:
        ChatTemplate(source, limits=limits).render(conversation, True)
    assert caught.value.code is ErrorCode.INVALID_FILE
    assert ChatTemplate(CHATML).render(conversation, False) == "<|im_start|>user\nhello<|im_end|>\n"


def test_a_template_that_failed_once_serves_the_next_conversation() -> None:
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    source = "{% if messages | length == 1 %}" + endless + "{% endif %}ok"
    template = ChatTemplate(source, limits=TemplateLimits(cpu_seconds=0.3))
    with pytest.raises(LadError, match=r"more than 0\.3 s"):
        template.render(messages_of([("user", "a")]), False)
    assert template.render([], False) == "ok"


def test_an_overlong_template_is_refused_unread() -> None:
    with pytest.raises(LadError, match="longer than"):
        ChatTemplate("x" * 100, limits=TemplateLimits(source_characters=99))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_process_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    template = ChatTemplate("x")
    assert template._child is not None
    with open(f"/proc/{template._child.pid}/environ", "rb") as file:
        assert b"hf_secret" not in file.read()


def test_threads_may_share_a_template() -> None:
    template = ChatTemplate("{{ messages[0].content }}")
    wrong: list[str] = []

    def render(name: str) -> None:
        for turn in range(50):
            text = f"{name} {turn}"
            if template.render(messages_of([("user", text)]), False) != text:
                wrong.append(text)

    threads = [threading.Thread(target=render, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_closing_ends_the_process_and_a_later_render_starts_another() -> None:
    template = ChatTemplate("x")
    assert template._child is not None
    process = template._child._process
    template.close()
    assert process.poll() is not None
    assert template.render([], False) == "x"


def test_a_signal_to_the_whole_process_group_leaves_it_to_the_worker() -> None:
    template = ChatTemplate("x")
    assert template._child is not None
    for request in (signal.SIGINT, signal.SIGTERM):
        template._child._process.send_signal(request)
    assert template.render([], False) == "x"


def test_it_ends_with_the_worker() -> None:
    program = (
        "import os, signal\n"
        "from lad_runtime.torch_backend.tokenizer.template import ChatTemplate\n"
        "template = ChatTemplate('x')\n"
        "print(template._child.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    worker = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env=os.environ | {"PYTHONPATH": RUNTIME}
    )
    child = int(worker.stdout)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and is_running(child):
        time.sleep(0.02)
    assert not is_running(child)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
