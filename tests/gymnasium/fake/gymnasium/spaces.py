import numpy


class Box:
    def __init__(self, low, high, shape, dtype=numpy.float32):
        size = 1
        for one in shape:
            size *= one
        self.shape, self.dtype = tuple(shape), dtype
        self.low, self.high = numpy.ndarray([low] * size, shape, dtype), numpy.ndarray([high] * size, shape, dtype)


class Discrete:
    def __init__(self, n, start=0):
        self.n, self.start, self.shape, self.dtype = n, start, (), numpy.int64


class MultiDiscrete:
    def __init__(self, nvec):
        self.nvec, self.shape, self.dtype = numpy.asarray(nvec), (len(nvec),), numpy.int64


class MultiBinary:
    def __init__(self, n):
        self.shape, self.dtype = (n,), numpy.int8


class Dict:
    def __init__(self, spaces):
        self.spaces = dict(spaces)


class Tuple:
    def __init__(self, spaces):
        self.spaces = tuple(spaces)


class Text:
    pass
