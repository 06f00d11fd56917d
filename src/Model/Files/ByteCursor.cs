using System.Runtime.CompilerServices;

namespace LServe.Model;

/// <summary>Reads a file's header from front to back; whatever would reach past its end is an error that names the field.</summary>
internal sealed unsafe class ByteCursor(MappedFile file)
{
    public MappedFile File { get; } = file;

    /// <summary>Bytes from the start of the file.</summary>
    public long Position { get; private set; }

    public long Remaining => File.Length - Position;

    /// <summary>A little-endian number.</summary>
    public T Read<T>(string field) where T : unmanaged
    {
        Need(sizeof(T), field);
        var value = Unsafe.ReadUnaligned<T>(File.Address + Position);
        Position += sizeof(T);
        return value;
    }

    public ReadOnlySpan<byte> ReadBytes(int count, string field)
    {
        Need(count, field);
        var bytes = File.Slice(Position, count);
        Position += count;
        return bytes;
    }

    public void Skip(ulong count, string field)
    {
        Need(count, field);
        Position += (long)count;
    }

    public ModelFileException Problem(string field, string problem) => new(File.Path, field, Position, problem);

    private void Need(long count, string field) => Need((ulong)count, field);

    private void Need(ulong count, string field)
    {
        if (count > (ulong)Remaining) throw Problem(field, $"needs {count} bytes, but only {Remaining} are left in the file.");
    }
}
