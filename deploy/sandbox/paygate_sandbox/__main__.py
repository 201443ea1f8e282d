"""`python -m paygate_sandbox`, the same as `paygate`."""

from paygate_sandbox import main

if __name__ == "__main__":
    main()
