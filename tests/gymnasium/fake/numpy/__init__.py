"""As much of NumPy as Heirloom's bridge and the pretended Gymnasium beside it need, for machines that have neither."""

__version__ = "0.0.0-pretended"


class dtype:
    def __init__(self, name, kind):
        self.name, self.kind = name, kind

    def __repr__(self):
        return self.name


float32, float64 = dtype("float32", "f"), dtype("float64", "f")
int8, int64, text, thing = dtype("int8", "i"), dtype("int64", "i"), dtype("str", "U"), dtype("object", "O")


class ndarray:
    """Numbers in a row, in a list or in shared memory, with a shape of one or more sizes."""

    def __init__(self, data, shape, kind):
        self.data, self.shape, self.dtype = data, tuple(shape), kind

    def reshape(self, *shape):
        shape = shape[0] if isinstance(shape[0], tuple) else shape
        return ndarray(self.data, (len(self.data),) if shape == (-1,) else shape, self.dtype)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, index):
        if isinstance(index, slice):
            part = self.data[index]
            return ndarray(part, (len(part),), self.dtype)
        if len(self.shape) == 1:
            return self.data[index]
        size = len(self.data) // self.shape[0]
        return ndarray(self.data[index * size : (index + 1) * size], self.shape[1:], self.dtype)

    def __setitem__(self, index, value):
        if isinstance(index, int):
            self.data[index] = value
            return
        values = value.tolist() if isinstance(value, ndarray) else [value] * len(self.data)
        for position, one in enumerate(values):
            self.data[position] = float(one)

    def tolist(self):
        return list(self.data)

    def astype(self, kind):
        return ndarray(list(self.data), self.shape, kind)

    def copy(self):
        return self.astype(self.dtype)


def frombuffer(buffer, dtype=float64, count=-1, offset=0):
    numbers = memoryview(buffer).cast("B")[offset:].cast("d")
    numbers = numbers if count < 0 else numbers[:count]
    return ndarray(numbers, (len(numbers),), dtype)


def asarray(value, dtype=None):
    if isinstance(value, ndarray):
        return value
    if not isinstance(value, (list, tuple)):
        kind = int64 if isinstance(value, int) else float64 if isinstance(value, float) else text if isinstance(value, str) else thing
        return ndarray([value], (), dtype or kind)
    kind = int64 if all(isinstance(one, int) for one in value) else float64 if all(isinstance(one, float) for one in value) else thing
    return ndarray(list(value), (len(value),), dtype or kind)
