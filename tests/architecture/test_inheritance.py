import ast

# What a class may be made from: errors, enumerations, shapes of data, and the one extension point of argparse.
ALLOWED = {
    *("Exception", "ValueError", "AttributeError", "Enum", "IntEnum", "StrEnum", "IntFlag", "Flag"),
    *("Protocol", "NamedTuple", "TypedDict", "Generic", "ArgumentParser", "Structure", "BaseModel"),
}


def name_of(node):
    node = node.value if isinstance(node, ast.Subscript) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id


def list_classes(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def test_classes_do_not_grow_into_trees(trees):
    """A class may be made from another of its own file, one level deep: the variants of one thing."""
    errors = {node.name for path, tree in trees.items() if path.name == "errors.py" for node in list_classes(tree)}
    grown = []
    for path, tree in trees.items():
        classes = list_classes(tree)
        roots = {node.name for node in classes if not node.bases}
        for node in classes:
            strange = {name_of(base) for base in node.bases} - ALLOWED - errors - roots
            grown += [f"{path.name}: {node.name}({name})" for name in strange]
    assert grown == []


def test_there_are_no_pairs_of_get_and_set(trees):
    names = {n.name for tree in trees.values() for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    assert [name for name in names if name.startswith("get_") and "set_" + name[4:] in names] == []
