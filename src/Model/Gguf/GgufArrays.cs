using System.Runtime.CompilerServices;

namespace LServe.Model;

/// <summary>An array of numbers in a GGUF file, at any alignment.</summary>
internal readonly struct GgufNumbers<T>(MappedFile file, long offset, int count) where T : unmanaged
{
    public int Count { get; } = count;
    public unsafe T this[int index] => Unsafe.ReadUnaligned<T>(file.Address + OffsetOf(index));
    public unsafe long OffsetOf(int index) => offset + (long)index * sizeof(T);
}

/// <summary>An array of strings in a GGUF file, read front to back. Its lengths were checked when the header was read.</summary>
internal readonly struct GgufStrings(MappedFile file, long offset, int count)
{
    public int Count { get; } = count;
    public Enumerator GetEnumerator() => new(file, offset, Count);

    internal unsafe struct Enumerator(MappedFile file, long offset, int count)
    {
        private long _next = offset;
        private int _left = count;
        private int _length;

        /// <summary>Bytes from the start of the file to the string's first byte.</summary>
        public long Offset { get; private set; }

        public readonly ReadOnlySpan<byte> Current => file.Slice(Offset, _length);

        public bool MoveNext()
        {
            if (_left-- == 0) return false;
            _length = (int)Unsafe.ReadUnaligned<ulong>(file.Address + _next);
            Offset = _next + sizeof(ulong);
            _next = Offset + _length;
            return true;
        }
    }
}
