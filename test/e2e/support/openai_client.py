"""Asks an endpoint by PyPI's openai package, and prints what it answers as a line of JSON."""

import json
import sys

import openai

url, token = sys.argv[1:]
client = openai.OpenAI(base_url=url, api_key=token)
messages: list = [{"role": "user", "content": "Name it."}]
how = {"model": "gpt", "messages": messages, "seed": 3, "extra_body": {"policy": "threshold", "iterations": 6}}

whole = client.chat.completions.create(**how)
deltas, frames, usage = [], 0, None
extended = {**how, "extra_body": {**how["extra_body"], "frames": True}}
for chunk in client.chat.completions.create(**extended, stream=True, stream_options={"include_usage": True}):
    frames += "frame" in (chunk.lad or {})
    usage = chunk.usage or usage
    deltas += [choice.delta.content or "" for choice in chunk.choices]
held = {"pins": ["It is ", {"gap": 4}, "."], "seed": 3}  # its end is given, so that it is not cut
response = client.responses.create(model="gpt", input="Name it.", extra_body=held)
with client.responses.stream(model="gpt", input="Name it.", extra_body=held) as stream:
    streamed = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
    final = stream.get_final_response()
completion = client.completions.create(model="stub", prompt="Once", max_tokens=4, logprobs=0)

errors = []
for changed in ({"api_key": "other"}, {}):
    try:
        client.with_options(**changed).chat.completions.create(model="gtp", messages=messages)
    except openai.APIStatusError as error:
        errors.append([type(error).__name__, error.code])

print(
    json.dumps(
        {
            "models": [model.id for model in client.models.list()],
            "whole": whole.choices[0].message.content,
            "forwards": whole.usage.forwards,
            "streamed": "".join(deltas),
            "streamedForwards": usage.forwards,
            "frames": frames,
            "status": response.status,
            "response": response.output_text,
            "responseStreamed": streamed,
            "responseFinal": final.output_text,
            "completionLogprobs": len(completion.choices[0].logprobs.token_logprobs),
            "errors": errors,
        }
    )
)
