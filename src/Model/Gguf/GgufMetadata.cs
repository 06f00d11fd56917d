using System.Runtime.CompilerServices;
using System.Text;

namespace LServe.Model;

/// <summary>
/// The keys and values of a GGUF file. Values are read where they lie; a value of another type than asked for is an error.
/// </summary>
internal sealed class GgufMetadata
{
    public const int MaxKeyBytes = 65_535;
    public const int MaxTextBytes = 16 << 20;

    private const int MaxArrayDepth = 4;
    private readonly MappedFile _file;
    private readonly Dictionary<string, GgufValue> _values;

    private GgufMetadata(MappedFile file, Dictionary<string, GgufValue> values) => (_file, _values) = (file, values);

    public static GgufMetadata Read(ByteCursor cursor, int count)
    {
        var values = new Dictionary<string, GgufValue>();
        for (var i = 0; i < count; i++)
        {
            var offset = cursor.Position;
            var key = ReadText(cursor, $"metadata key {i}", MaxKeyBytes);
            var value = ReadValue(cursor, key, (GgufType)cursor.Read<uint>(key));
            if (!values.TryAdd(key, value)) throw new ModelFileException(cursor.File.Path, key, offset, "is there twice.");
        }
        return new GgufMetadata(cursor.File, values);
    }

    public static string ReadText(ByteCursor cursor, string field, int limit)
    {
        var offset = cursor.Position;
        var length = cursor.Read<ulong>(field);
        if (length > (ulong)limit)
            throw new ModelFileException(cursor.File.Path, field, offset, $"has {length} bytes; at most {limit} are read.");
        return Encoding.UTF8.GetString(cursor.ReadBytes((int)length, field));
    }

    public bool Has(string key) => _values.ContainsKey(key);

    public string RequiredText(string key) => OptionalText(key) ?? throw Missing(key);

    public string? OptionalText(string key)
    {
        if (!_values.TryGetValue(key, out var value)) return null;
        if (value.Type != GgufType.String) throw Problem(key, $"is {value.Type}, not a string.");
        if (value.Count > MaxTextBytes) throw Problem(key, $"has {value.Count} bytes; at most {MaxTextBytes} are read.");
        return Encoding.UTF8.GetString(_file.Slice(value.Offset, (int)value.Count));
    }

    public int RequiredInt(string key, int min, int max) => OptionalInt(key, min, max) ?? throw Missing(key);

    public int? OptionalInt(string key, int min, int max)
    {
        if (!_values.TryGetValue(key, out var value)) return null;
        var number = Integer(value) ?? throw Problem(key, $"is {value.Type}, not a whole number.");
        if (number < min || number > max) throw Problem(key, $"is {number}, which is not within {min} … {max}.");
        return (int)number;
    }

    public double? OptionalReal(string key)
    {
        if (!_values.TryGetValue(key, out var value)) return null;
        double number = value.Type switch
        {
            GgufType.Float32 => At<float>(value),
            GgufType.Float64 => At<double>(value),
            _ => (double)(Integer(value) ?? throw Problem(key, $"is {value.Type}, not a number.")),
        };
        return double.IsFinite(number) ? number : throw Problem(key, $"is {number}, not a finite number.");
    }

    public bool? OptionalFlag(string key)
    {
        if (!_values.TryGetValue(key, out var value)) return null;
        return value.Type == GgufType.Bool ? At<byte>(value) != 0 : throw Problem(key, $"is {value.Type}, not a boolean.");
    }

    /// <summary>An array of numbers of exactly this type, unaligned in the file.</summary>
    public GgufNumbers<T>? OptionalNumbers<T>(string key, GgufType element) where T : unmanaged
    {
        if (!_values.TryGetValue(key, out var value)) return null;
        if (value.Type != GgufType.Array || value.Element != element) throw Problem(key, $"is no array of {element}.");
        return new GgufNumbers<T>(_file, value.Offset, CheckedCount(key, value));
    }

    public GgufStrings? OptionalStrings(string key)
    {
        if (!_values.TryGetValue(key, out var value)) return null;
        if (value.Type != GgufType.Array || value.Element != GgufType.String) throw Problem(key, "is no array of strings.");
        return new GgufStrings(_file, value.Offset, CheckedCount(key, value));
    }

    public GgufStrings RequiredStrings(string key) => OptionalStrings(key) ?? throw Missing(key);

    public ModelFileException Missing(string key) => new(_file.Path, key, null, "is missing.");

    public ModelFileException Problem(string key, string problem) =>
        new(_file.Path, key, _values.TryGetValue(key, out var value) ? value.Offset : null, problem);

    /// <param name="offset">Of the element at fault.</param>
    public ModelFileException Problem(string key, long offset, string problem) => new(_file.Path, key, offset, problem);

    private int CheckedCount(string key, GgufValue value) =>
        value.Count <= int.MaxValue ? (int)value.Count : throw Problem(key, $"has {value.Count} elements.");

    private Int128? Integer(GgufValue value) => value.Type switch
    {
        GgufType.UInt8 => At<byte>(value),
        GgufType.Int8 => At<sbyte>(value),
        GgufType.UInt16 => At<ushort>(value),
        GgufType.Int16 => At<short>(value),
        GgufType.UInt32 => At<uint>(value),
        GgufType.Int32 => At<int>(value),
        GgufType.UInt64 => At<ulong>(value),
        GgufType.Int64 => At<long>(value),
        _ => null,
    };

    private unsafe T At<T>(GgufValue value) where T : unmanaged => Unsafe.ReadUnaligned<T>(_file.Address + value.Offset);

    private static GgufValue ReadValue(ByteCursor cursor, string key, GgufType type)
    {
        if (type == GgufType.String) return ReadString(cursor, key);
        if (type == GgufType.Array) return ReadArray(cursor, key, depth: 1);
        var size = GgufTypes.Size(type);
        if (size < 0) throw cursor.Problem(key, $"has the unknown value type {(uint)type}.");
        var value = new GgufValue(type, type, cursor.Position, 1);
        cursor.Skip((ulong)size, key);
        return value;
    }

    private static GgufValue ReadString(ByteCursor cursor, string key)
    {
        var length = cursor.Read<ulong>(key);
        var offset = cursor.Position;
        cursor.Skip(length, key);
        if (length > int.MaxValue) throw new ModelFileException(cursor.File.Path, key, offset, $"has a string of {length} bytes.");
        return new GgufValue(GgufType.String, GgufType.String, offset, (long)length);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static GgufValue ReadArray(ByteCursor cursor, string key, int depth)
    {
        if (depth > MaxArrayDepth) throw cursor.Problem(key, $"nests arrays deeper than {MaxArrayDepth}.");
        var element = (GgufType)cursor.Read<uint>(key);
        var count = cursor.Read<ulong>(key);
        var size = GgufTypes.Size(element);
        if (size < 0) throw cursor.Problem(key, $"has elements of the unknown value type {(uint)element}.");
        var least = element switch { GgufType.String => 8ul, GgufType.Array => 12ul, _ => (ulong)size };
        if (count > (ulong)cursor.Remaining / least)
            throw cursor.Problem(key, $"counts {count} elements, but only {cursor.Remaining} bytes are left in the file.");
        var value = new GgufValue(GgufType.Array, element, cursor.Position, (long)count);
        if (size > 0) cursor.Skip(count * (ulong)size, key);
        else
            for (var i = 0ul; i < count; i++)
                _ = element == GgufType.String ? ReadString(cursor, key) : ReadArray(cursor, key, depth + 1);
        return value;
    }
}
