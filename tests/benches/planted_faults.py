"""Faults in converted designs, which tests must catch."""

from dataclasses import replace

from duospike.cosim.conversion.convert import convert


def convert_with_fault(old, new, language):
    """A substitute for convert() that replaces a piece of text, which must be there exactly once, in modules of one language."""

    def convert_and_plant(*args, **kwargs):
        modules = convert(*args, **kwargs)
        if kwargs.get("language") != language:
            return modules
        places = sum(module.text.count(old) for module in modules)
        # No assertion: that is what a test expects of a fault which it sees.
        if places != 1:
            raise ValueError(f"{places} places of {old!r}; needed: 1")
        return [replace(module, text=module.text.replace(old, new)) for module in modules]

    return convert_and_plant
