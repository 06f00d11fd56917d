namespace LServe.Model;

/// <summary>
/// A matrix [<see cref="Rows"/>, <see cref="Columns"/>] as its file stores it, rows contiguous. A vector has one row.
/// The bytes stay valid while the <see cref="ModelFile"/> it came from is open.
/// </summary>
public sealed unsafe class Tensor
{
    /// <param name="address">First byte; the memory belongs to the model file.</param>
    /// <param name="length">Bytes in all.</param>
    public Tensor(string name, TensorType type, int rows, int columns, byte* address, long length)
    {
        (Name, Type, Rows, Columns, ByteLength) = (name, type, rows, columns, length);
        Address = address;
    }

    public string Name { get; }
    public TensorType Type { get; }
    public int Rows { get; }
    public int Columns { get; }
    public byte* Address { get; }
    public long ByteLength { get; }

    /// <summary>Bytes of one row.</summary>
    public long RowBytes => ByteLength / Rows;

    public ReadOnlySpan<byte> Row(int row) => new(Address + row * RowBytes, checked((int)RowBytes));
}
