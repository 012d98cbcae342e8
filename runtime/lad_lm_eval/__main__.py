"""lm-eval's command line, with the model `lad`."""

from lm_eval.__main__ import cli_evaluate


def main() -> None:
    cli_evaluate()


if __name__ == "__main__":
    main()
